-- Orders and their sagas.

-- What was ordered: one row per order, written once.
CREATE TABLE orders (
    order_id    uuid        NOT NULL PRIMARY KEY,
    created_at  timestamptz NOT NULL,
    customer_id text        NOT NULL,
    origin      text        NOT NULL, -- JSON: flow, plan, request id
    details     text        NOT NULL  -- JSON: what was ordered
);

CREATE INDEX orders_of_customer ON orders (customer_id, order_id);

-- How far it is: one small row per order, written at every step. `state` holds the facts; the columns beside it are
-- derived from them, for the lists and the sweeper.
--
-- Indexed columns change only when an order is placed, when it comes to rest, and when it has waited for long
-- (order/deadlines.rs): every other step is a HOT update, which writes no index. The fillfactor keeps room for
-- these. Columns that change stand together, because the log of an update within a page contains what lies between
-- the first and the last of them.
CREATE TABLE sagas (
    order_id    uuid        NOT NULL PRIMARY KEY,
    due_at      timestamptz,          -- when the sweeper looks at it; null: it rests
    version     bigint      NOT NULL,
    updated_at  timestamptz NOT NULL,
    status      text        NOT NULL,
    saga_status text        NOT NULL,
    state       text        NOT NULL, -- JSON: facts, when commands were sent, length of the history
    -- A column of its own: an index with a condition on `saga_status` would be written whenever that changes.
    failed      boolean     NOT NULL GENERATED ALWAYS AS (saga_status = 'FAILED') STORED
) WITH (fillfactor = 50);

CREATE INDEX sagas_due ON sagas (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX sagas_failed ON sagas (order_id) WHERE failed;

-- Every status that an order has had. Append-only.
CREATE TABLE order_history (
    order_id    uuid        NOT NULL,
    sequence    bigint      NOT NULL,
    at          timestamptz NOT NULL,
    cause       text        NOT NULL,
    status      text        NOT NULL,
    saga_status text        NOT NULL,
    step        text        NOT NULL,
    facts       text        NOT NULL, -- JSON: what became known
    PRIMARY KEY (order_id, sequence)
);

-- `Idempotency-Key` headers of POST /orders, kept for two days.
CREATE TABLE idempotency_keys (
    key         text        NOT NULL PRIMARY KEY,
    fingerprint bytea       NOT NULL, -- of the order
    order_id    uuid        NOT NULL,
    created_at  timestamptz NOT NULL
);

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
