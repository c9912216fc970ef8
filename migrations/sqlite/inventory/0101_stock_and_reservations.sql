-- Stock, and who has a claim on it. Times are microseconds since 1970, UTC.

-- One row a product. The CHECK is the last defence: nothing is sold that is not there, whatever
-- the service believes.
CREATE TABLE stock (
    product_id TEXT    NOT NULL PRIMARY KEY,
    on_hand    INTEGER NOT NULL, -- units in the warehouse
    reserved   INTEGER NOT NULL, -- those of them that orders have a claim on
    version    INTEGER NOT NULL, -- grows with each write
    CHECK (0 <= reserved AND reserved <= on_hand)
) STRICT, WITHOUT ROWID;

-- One row an order, under the order's own key, whatever became of its reservation. An order that was
-- released before it asked for anything has a row too (a tombstone): the late command finds it.
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
