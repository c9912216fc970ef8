-- One row an order, under the order's own key, whatever became of its parcel. A cancelled order that
-- never had one keeps a row too (a tombstone): the late command to schedule finds it.
-- Times are microseconds since 1970, UTC.
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
    -- What has no parcel is neither on its way nor about to be.
    CHECK (tracking_code IS NOT NULL OR status IN ('FAILED', 'CANCELLED')),
    CHECK (dispatched_at IS NOT NULL OR status NOT IN ('DISPATCHED', 'DELIVERED'))
) STRICT, WITHOUT ROWID;
