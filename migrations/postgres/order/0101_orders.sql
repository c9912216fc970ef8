-- Orders and their sagas.

-- One row an order. `details` never changes; `state` holds the facts. The columns beside them are
-- derived from the facts, for the lists and the sweeper. A row is written half a dozen times within
-- seconds: the pages keep room for that.
CREATE TABLE orders (
    order_id    uuid        NOT NULL PRIMARY KEY,
    version     bigint      NOT NULL,
    customer_id text        NOT NULL,
    status      text        NOT NULL,
    saga_status text        NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    due_at      timestamptz,          -- when the sweeper looks at it; null: it rests
    origin      text        NOT NULL, -- JSON: flow, plan, request id
    details     text        NOT NULL, -- JSON: what was ordered
    state       text        NOT NULL  -- JSON: facts, when commands were sent, length of the history
) WITH (fillfactor = 80);

CREATE INDEX orders_of_customer ON orders (customer_id, order_id);
CREATE INDEX orders_due ON orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX orders_failed ON orders (order_id) WHERE saga_status = 'FAILED';

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
    fingerprint bytea       NOT NULL,
    order_id    uuid        NOT NULL,
    created_at  timestamptz NOT NULL
);

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
