-- Payments. Times are microseconds since 1970, UTC.

-- One row per order: its payment, or that it was undone before it began (a tombstone).
CREATE TABLE payments (
    order_id BLOB    NOT NULL PRIMARY KEY CHECK (length(order_id) = 16),
    version  INTEGER NOT NULL,
    status   TEXT    NOT NULL, -- derived from `payment`, for people
    due_at   INTEGER,          -- when the sweeper takes it up; null: the gateway is not asked
    payment  TEXT    NOT NULL  -- JSON: what is paid, where it stands, how asking the gateway goes
) STRICT, WITHOUT ROWID;

CREATE INDEX payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
