-- What is ordered never changes and is written once; how it goes is written at every step, and is small.

-- One row an order. Indexed columns change only when it is placed, when it comes to rest, and when it has
-- waited for long (order/due.rs): every other step is a HOT update, which writes no index. The pages keep
-- room for that, and columns that change stand together: the log of an update within a page holds what
-- lies between the first and the last of them.
CREATE TABLE sagas (
    order_id    uuid        NOT NULL PRIMARY KEY,
    due_at      timestamptz,          -- when the sweeper looks at it; null: it rests
    version     bigint      NOT NULL,
    updated_at  timestamptz NOT NULL,
    status      text        NOT NULL, -- derived from the facts, for the lists; so is the next
    saga_status text        NOT NULL,
    state       text        NOT NULL, -- JSON: facts, when commands were sent, length of the history
    -- A column of its own, because a step that changes `saga_status` may not touch the index.
    failed      boolean     NOT NULL GENERATED ALWAYS AS (saga_status = 'FAILED') STORED
) WITH (fillfactor = 50);

INSERT INTO sagas (order_id, due_at, version, updated_at, status, saga_status, state)
SELECT order_id, due_at, version, updated_at, status, saga_status, state FROM orders ORDER BY order_id;

CREATE INDEX sagas_due ON sagas (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX sagas_failed ON sagas (order_id) WHERE failed;

CREATE TABLE placed_orders (
    order_id    uuid        NOT NULL PRIMARY KEY,
    created_at  timestamptz NOT NULL,
    customer_id text        NOT NULL,
    origin      text        NOT NULL, -- JSON: flow, plan, request id
    details     text        NOT NULL  -- JSON: what was ordered
);

INSERT INTO placed_orders (order_id, created_at, customer_id, origin, details)
SELECT order_id, created_at, customer_id, origin, details FROM orders ORDER BY order_id;

DROP TABLE orders;
ALTER TABLE placed_orders RENAME TO orders;
ALTER INDEX placed_orders_pkey RENAME TO orders_pkey;
CREATE INDEX orders_of_customer ON orders (customer_id, order_id);
