-- One row an order, under the order's own key, whatever became of its parcel. A cancelled order that
-- never had one keeps a row too (a tombstone): the late command to schedule finds it.
-- A row is written when it is scheduled, dispatched and delivered: the pages keep room for that.
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
    -- What has no parcel is neither on its way nor about to be.
    CHECK (tracking_code IS NOT NULL OR status IN ('FAILED', 'CANCELLED')),
    CHECK (dispatched_at IS NOT NULL OR status NOT IN ('DISPATCHED', 'DELIVERED'))
) WITH (fillfactor = 80);
