-- What every service has beside its own tables. Times are microseconds since 1970, UTC.

-- What was decided to be said. One row a journal batch (64 messages at most), deleted when everybody
-- has heard it. Rows are few and short-lived: one tree, keyed by the id that grows with time.
CREATE TABLE outbox (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    content      TEXT    NOT NULL,           -- JSON, as `OutboxRow::to_json` writes it
    tries        INTEGER NOT NULL DEFAULT 0, -- how often it was parked
    parked_until INTEGER                     -- null: it waits in the relay's window
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_parked ON outbox (parked_until) WHERE parked_until IS NOT NULL;

-- Messages that no consumer could handle, kept for a person to look at.
CREATE TABLE dead_letters (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    queue      TEXT    NOT NULL,
    order_id   BLOB,
    event_type TEXT,
    cause      TEXT    NOT NULL,
    attempts   INTEGER NOT NULL,
    body       TEXT    NOT NULL,
    died_at    INTEGER NOT NULL
) STRICT;
