-- Orders and their sagas. Times are microseconds since 1970, UTC.

-- What was ordered: one row per order, written once.
CREATE TABLE orders (
    order_id    BLOB    NOT NULL PRIMARY KEY CHECK (length(order_id) = 16),
    customer_id TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    origin      TEXT    NOT NULL, -- JSON: flow, plan, request id
    details     TEXT    NOT NULL  -- JSON: what was ordered
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_of_customer ON orders (customer_id, order_id);

-- How far it is: one small row per order, written at every step. `state` holds the facts; the columns beside it are
-- derived from them, for the lists and the sweeper.
CREATE TABLE sagas (
    order_id    BLOB    NOT NULL PRIMARY KEY CHECK (length(order_id) = 16),
    version     INTEGER NOT NULL,
    status      TEXT    NOT NULL,
    saga_status TEXT    NOT NULL,
    updated_at  INTEGER NOT NULL,
    due_at      INTEGER,          -- when the sweeper looks at it; null: it rests
    state       TEXT    NOT NULL  -- JSON: facts, when commands were sent, length of the history
) STRICT, WITHOUT ROWID;

CREATE INDEX sagas_due ON sagas (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX sagas_failed ON sagas (order_id) WHERE saga_status = 'FAILED';

-- Every status that an order has had. Append-only.
CREATE TABLE order_history (
    order_id    BLOB    NOT NULL,
    sequence    INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    cause       TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    saga_status TEXT    NOT NULL,
    step        TEXT    NOT NULL,
    facts       TEXT    NOT NULL, -- JSON: what became known
    PRIMARY KEY (order_id, sequence)
) STRICT, WITHOUT ROWID;

-- `Idempotency-Key` headers of POST /orders, kept for two days.
CREATE TABLE idempotency_keys (
    key         TEXT    NOT NULL PRIMARY KEY,
    fingerprint BLOB    NOT NULL, -- of the order
    order_id    BLOB    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
