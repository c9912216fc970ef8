-- Dead letters that somebody has discarded, with the reason. They are kept as long as the others, so that
-- it can be looked up what was lost and why.
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
