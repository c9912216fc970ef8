-- The simulated payment gateway's own ledger. Times are microseconds since 1970, UTC.

-- One row per key. Amounts are in minor units of the row's currency.
CREATE TABLE gateway_ledger (
    key             BLOB    NOT NULL PRIMARY KEY CHECK (length(key) = 16),
    status          TEXT    NOT NULL,
    order_id        BLOB,    -- this and the next three: null while no charge was asked for
    currency        TEXT,
    amount_minor    INTEGER,
    method          TEXT,
    captured_minor  INTEGER NOT NULL,
    refunded_minor  INTEGER NOT NULL,
    transaction_id  TEXT,    -- null: nothing was captured
    charge_attempts INTEGER NOT NULL,
    refund_attempts INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    changed_at      INTEGER NOT NULL,
    CHECK (0 <= refunded_minor AND refunded_minor <= captured_minor)
) STRICT, WITHOUT ROWID;

-- Reconciliation reads the ledger by order, a range of orders at a time. Ids of orders grow, so new entries of the
-- index lie together.
CREATE INDEX gateway_ledger_of_order ON gateway_ledger (order_id);
