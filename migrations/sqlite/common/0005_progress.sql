-- Which batch of this file is its last one, and which ones the other files of the directory had committed when it
-- began. A start compares them: a file that is older than what another one has seen of it is of another moment.
CREATE TABLE progress (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 0),
    batch INTEGER NOT NULL,
    seen  TEXT    NOT NULL -- JSON: batches by the names of databases
) STRICT;
INSERT INTO progress (id, batch, seen) VALUES (0, 0, '{}');
