-- One row per order, whatever became of its parcel. An order that was cancelled before it had one has a row too (a
-- tombstone), so that the late command to schedule has no effect. A row is written when the parcel is scheduled,
-- dispatched and delivered: the fillfactor keeps room for that.
CREATE TABLE shipments (
    order_id           uuid        NOT NULL PRIMARY KEY,
    status             text        NOT NULL
                       CHECK (status IN ('SCHEDULED', 'FAILED', 'CANCELLED', 'DISPATCHED', 'DELIVERED')),
    decided_at         timestamptz NOT NULL, -- when the latest outcome was decided
    reason             text,                 -- why the carrier did not take it, also once it is cancelled
    -- The parcel, where there was one:
    tracking_code      text,
    freight_minor      bigint CHECK (freight_minor >= 0),
    currency           text,
    estimated_delivery timestamptz,
    units              bigint CHECK (units >= 0),
    priority           text CHECK (priority IN ('standard', 'express')),
    address            text,                 -- JSON
    dispatched_at      timestamptz,
    -- Without a parcel nothing is scheduled, dispatched or delivered.
    CHECK (tracking_code IS NOT NULL OR status IN ('FAILED', 'CANCELLED')),
    CHECK (dispatched_at IS NOT NULL OR status NOT IN ('DISPATCHED', 'DELIVERED'))
) WITH (fillfactor = 80);
