-- The simulated payment gateway's own ledger: one row per key. Amounts are in minor units of the row's currency.
CREATE TABLE gateway_ledger (
    key             uuid        NOT NULL PRIMARY KEY,
    status          text        NOT NULL,
    order_id        uuid,     -- this and the next three: null while no charge was asked for
    currency        text,
    amount_minor    bigint,
    method          text,
    captured_minor  bigint      NOT NULL,
    refunded_minor  bigint      NOT NULL,
    transaction_id  text,     -- null: nothing was captured
    charge_attempts bigint      NOT NULL,
    refund_attempts bigint      NOT NULL,
    created_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    CHECK (0 <= refunded_minor AND refunded_minor <= captured_minor)
) WITH (fillfactor = 80);

-- Reconciliation reads the ledger by order, a range of orders at a time. Ids of orders grow, so new entries of the
-- index lie together.
CREATE INDEX gateway_ledger_of_order ON gateway_ledger (order_id);
