-- Stock, the orders' reservations, the stock ledger. Times are microseconds since 1970, UTC.

-- One row per product. The CHECK is the last defence against overselling, whatever the service decides.
CREATE TABLE stock (
    product_id TEXT    NOT NULL PRIMARY KEY,
    on_hand    INTEGER NOT NULL, -- units in the warehouse
    reserved   INTEGER NOT NULL, -- those of them that are reserved for orders
    version    INTEGER NOT NULL, -- grows with each write
    CHECK (0 <= reserved AND reserved <= on_hand)
) STRICT, WITHOUT ROWID;

-- One row per order, whatever became of its reservation. An order that was released before it asked for anything
-- has a row too (a tombstone), so that the late command has no effect.
CREATE TABLE reservations (
    order_id   BLOB    NOT NULL PRIMARY KEY CHECK (length(order_id) = 16),
    status     TEXT    NOT NULL,
    lines      TEXT,             -- JSON: what is or was reserved; null: nothing ever was
    refusal    TEXT,             -- JSON: why it was refused, also once it is released
    updated_at INTEGER NOT NULL, -- when the latest outcome was decided
    CHECK (CASE status
        WHEN 'RESERVED'  THEN lines IS NOT NULL AND refusal IS NULL
        WHEN 'COMMITTED' THEN lines IS NOT NULL AND refusal IS NULL
        WHEN 'RELEASED'  THEN lines IS NULL OR refusal IS NULL
        WHEN 'REFUSED'   THEN lines IS NULL AND refusal IS NOT NULL
        ELSE FALSE
    END)
) STRICT, WITHOUT ROWID;

-- The stock ledger: one row for each product that a journal batch has moved, under the version of the stock row
-- that the same batch wrote. Rows are appended and deleted, never changed. Rowids grow with time, so that the
-- oldest rows are found without another index.
CREATE TABLE movements (
    product_id TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    on_hand    INTEGER NOT NULL, -- units in the warehouse after the last entry
    reserved   INTEGER NOT NULL, -- those of them that are reserved for orders
    at         INTEGER NOT NULL, -- when the batch was decided
    entries    TEXT    NOT NULL, -- JSON: what happened, in its order
    PRIMARY KEY (product_id, version)
) STRICT;

-- `Idempotency-Key` headers of stock adjustments, kept for two days: the same key never adjusts twice.
CREATE TABLE adjustment_keys (
    key         TEXT    NOT NULL PRIMARY KEY,
    fingerprint BLOB    NOT NULL, -- of the request
    outcomes    TEXT    NOT NULL, -- JSON: what the request was answered
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX adjustment_keys_age ON adjustment_keys (created_at);
