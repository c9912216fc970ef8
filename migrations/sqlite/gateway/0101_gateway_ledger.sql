-- The simulated gateway's books. Times are microseconds since 1970, UTC.

-- One row a key. Amounts are in minor units of the row's currency.
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
