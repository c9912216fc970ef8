-- The tables that every service has beside its own. Times are microseconds since 1970, UTC.

-- Messages that are decided and not yet confirmed by the broker. One row per journal batch (64 messages at most),
-- deleted when all of them are confirmed. Rows are few and short-lived: one tree, keyed by the id that grows with
-- time.
CREATE TABLE outbox (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    content      TEXT    NOT NULL,           -- JSON, as `OutboxRow::to_json` writes it
    tries        INTEGER NOT NULL DEFAULT 0, -- how often it was parked
    parked_until INTEGER                     -- null: it waits in the relay's window
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_parked ON outbox (parked_until) WHERE parked_until IS NOT NULL;

-- Messages that no consumer could handle, kept until an operator redrives or discards them, or they expire.
CREATE TABLE dead_letters (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    queue           TEXT    NOT NULL,
    order_id        BLOB,             -- null, like the next: the message cannot be read
    event_type      TEXT,
    cause           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    body            TEXT    NOT NULL,
    first_failed_at INTEGER NOT NULL,
    died_at         INTEGER NOT NULL
) STRICT;

-- They are listed and redriven by queue.
CREATE INDEX dead_letters_of_queue ON dead_letters (queue, id);

-- Dead letters that an operator has discarded, with the reason. They are kept as long as the others, so that it
-- can be looked up what was lost and why.
CREATE TABLE discarded_dead_letters (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    queue           TEXT    NOT NULL,
    order_id        BLOB,
    event_type      TEXT,
    cause           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    body            TEXT    NOT NULL,
    first_failed_at INTEGER NOT NULL,
    died_at         INTEGER NOT NULL,
    reason          TEXT    NOT NULL,
    discarded_at    INTEGER NOT NULL
) STRICT;

-- The number of this file's last batch, and the last batches of the directory's other files when it began. A start
-- compares them: if a file ends before a batch that another file has seen, the files are of different moments.
CREATE TABLE progress (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 0), -- one row
    batch INTEGER NOT NULL,
    seen  TEXT    NOT NULL -- JSON: batches by the names of databases
) STRICT;

INSERT INTO progress (id, batch, seen) VALUES (0, 0, '{}');
