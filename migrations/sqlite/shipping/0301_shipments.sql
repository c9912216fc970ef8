-- Shipments. Times are microseconds since 1970, UTC.

-- One row per order, whatever became of its parcel. An order that was cancelled before it had one has a row too (a
-- tombstone), so that the late command to schedule has no effect.
CREATE TABLE shipments (
    order_id           BLOB    NOT NULL PRIMARY KEY CHECK (length(order_id) = 16),
    status             TEXT    NOT NULL
                       CHECK (status IN ('SCHEDULED', 'FAILED', 'CANCELLED', 'DISPATCHED', 'DELIVERED')),
    decided_at         INTEGER NOT NULL, -- when the latest outcome was decided
    reason             TEXT,             -- why the carrier did not take it, also once it is cancelled
    -- The parcel, where there was one:
    tracking_code      TEXT,
    freight_minor      INTEGER CHECK (freight_minor >= 0),
    currency           TEXT,
    estimated_delivery INTEGER,
    units              INTEGER CHECK (units >= 0),
    priority           TEXT CHECK (priority IN ('standard', 'express')),
    address            TEXT,             -- JSON
    dispatched_at      INTEGER,
    -- Without a parcel nothing is scheduled, dispatched or delivered.
    CHECK (tracking_code IS NOT NULL OR status IN ('FAILED', 'CANCELLED')),
    CHECK (dispatched_at IS NOT NULL OR status NOT IN ('DISPATCHED', 'DELIVERED'))
) STRICT, WITHOUT ROWID;
