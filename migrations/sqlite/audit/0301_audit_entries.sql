-- The audit: every event, in the order in which it was stored. Append-only.
-- Times are microseconds since 1970, UTC.

-- Rows are long (a message each), so they are stored in the order of their arrival and not in that of their key:
-- this writes a third of the bytes (measured).
CREATE TABLE audit_entries (
    position    INTEGER NOT NULL PRIMARY KEY,
    order_id    BLOB    NOT NULL CHECK (length(order_id) = 16),
    event_type  TEXT    NOT NULL,
    number      INTEGER NOT NULL, -- 0, and counted on where the same thing may happen twice
    event_id    BLOB    NOT NULL CHECK (length(event_id) = 16),
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    message     TEXT    NOT NULL, -- JSON: envelope and payload, as they were published
    UNIQUE (order_id, event_type, number)
) STRICT;

CREATE TRIGGER audit_entries_never_change BEFORE UPDATE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'audit entries are append-only');
END;

CREATE TRIGGER audit_entries_are_kept BEFORE DELETE ON audit_entries
BEGIN
    SELECT RAISE(ABORT, 'audit entries are append-only');
END;
