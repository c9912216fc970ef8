-- Stock, and who has a claim on it.

-- One row a product. The CHECK is the last defence: nothing is sold that is not there, whatever
-- the service believes. Rows are few and are written all the time: their pages are half empty, so that
-- the next version stands beside the last. Ids are ordered by their bytes, wherever the database is.
CREATE TABLE stock (
    product_id text   COLLATE "C" NOT NULL PRIMARY KEY,
    on_hand    bigint NOT NULL, -- units in the warehouse
    reserved   bigint NOT NULL, -- those of them that orders have a claim on
    version    bigint NOT NULL, -- grows with each write
    CHECK (0 <= reserved AND reserved <= on_hand)
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

-- One row an order, under the order's own key, whatever became of its reservation. An order that was
-- released before it asked for anything has a row too (a tombstone): the late command finds it.
CREATE TABLE reservations (
    order_id   uuid        NOT NULL PRIMARY KEY,
    status     text        NOT NULL,
    lines      text,                 -- JSON: what is or was reserved; null: nothing ever was
    refusal    text,                 -- JSON: why it was refused, also once it is released
    updated_at timestamptz NOT NULL, -- when the latest outcome was decided
    CHECK (CASE status
        WHEN 'RESERVED'  THEN lines IS NOT NULL AND refusal IS NULL
        WHEN 'COMMITTED' THEN lines IS NOT NULL AND refusal IS NULL
        WHEN 'RELEASED'  THEN lines IS NULL OR refusal IS NULL
        WHEN 'REFUSED'   THEN lines IS NULL AND refusal IS NOT NULL
        ELSE false
    END)
) WITH (fillfactor = 80);
