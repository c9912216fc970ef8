-- Stock, the orders' reservations, the stock ledger.

-- One row per product. The CHECK is the last defence against overselling, whatever the service decides. Rows are few
-- and written all the time: the fillfactor leaves room for the next version of a row in the same page. Ids are
-- ordered by their bytes, whatever the database's collation.
CREATE TABLE stock (
    product_id text   COLLATE "C" NOT NULL PRIMARY KEY,
    on_hand    bigint NOT NULL, -- units in the warehouse
    reserved   bigint NOT NULL, -- those of them that are reserved for orders
    version    bigint NOT NULL, -- grows with each write
    CHECK (0 <= reserved AND reserved <= on_hand)
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

-- One row per order, whatever became of its reservation. An order that was released before it asked for anything
-- has a row too (a tombstone), so that the late command has no effect.
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

-- The stock ledger: one row for each product that a journal batch has moved, under the version of the stock row
-- that the same batch wrote. Rows are appended and deleted, never changed.
CREATE TABLE movements (
    product_id text        COLLATE "C" NOT NULL,
    version    bigint      NOT NULL,
    on_hand    bigint      NOT NULL, -- units in the warehouse after the last entry
    reserved   bigint      NOT NULL, -- those of them that are reserved for orders
    at         timestamptz NOT NULL, -- when the batch was decided
    entries    text        NOT NULL, -- JSON: what happened, in its order
    PRIMARY KEY (product_id, version)
);

-- Finds the oldest rows, to delete them. Rows come in the order of their times, so a few bytes per hundred pages are
-- index enough.
CREATE INDEX movements_age ON movements USING brin (at) WITH (autosummarize = on);

-- The entries of a product in demand are several KiB: LZ4 compresses them faster, where the server was built with it.
DO $$
BEGIN
    ALTER TABLE movements ALTER COLUMN entries SET COMPRESSION lz4;
EXCEPTION
    WHEN feature_not_supported THEN NULL;
END
$$;

-- `Idempotency-Key` headers of stock adjustments, kept for two days: the same key never adjusts twice.
CREATE TABLE adjustment_keys (
    key         text        NOT NULL PRIMARY KEY,
    fingerprint bytea       NOT NULL, -- of the request
    outcomes    text        NOT NULL, -- JSON: what the request was answered
    created_at  timestamptz NOT NULL
);

CREATE INDEX adjustment_keys_age ON adjustment_keys (created_at);
