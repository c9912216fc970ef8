-- What is ordered never changes and is written once; how it goes is written at every step, and is small.

CREATE TABLE sagas (
    order_id    BLOB    NOT NULL PRIMARY KEY CHECK (length(order_id) = 16),
    version     INTEGER NOT NULL,
    status      TEXT    NOT NULL, -- derived from the facts, for the lists; so is the next
    saga_status TEXT    NOT NULL,
    updated_at  INTEGER NOT NULL,
    due_at      INTEGER, -- when the sweeper looks at it; null: it rests
    state       TEXT    NOT NULL  -- JSON: facts, when commands were sent, length of the history
) STRICT, WITHOUT ROWID;

INSERT INTO sagas (order_id, version, status, saga_status, updated_at, due_at, state)
SELECT order_id, version, status, saga_status, updated_at, due_at, state FROM orders ORDER BY order_id;

CREATE INDEX sagas_due ON sagas (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX sagas_failed ON sagas (order_id) WHERE saga_status = 'FAILED';

CREATE TABLE placed_orders (
    order_id    BLOB    NOT NULL PRIMARY KEY CHECK (length(order_id) = 16),
    customer_id TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    origin      TEXT    NOT NULL, -- JSON: flow, plan, request id
    details     TEXT    NOT NULL  -- JSON: what was ordered
) STRICT, WITHOUT ROWID;

INSERT INTO placed_orders (order_id, customer_id, created_at, origin, details)
SELECT order_id, customer_id, created_at, origin, details FROM orders ORDER BY order_id;

DROP TABLE orders;
ALTER TABLE placed_orders RENAME TO orders;
CREATE INDEX orders_of_customer ON orders (customer_id, order_id);
