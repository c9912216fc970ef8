-- Orders and their sagas. Times are microseconds since 1970, UTC.

-- One row an order. `details` never changes; `state` holds the facts. The columns beside them are
-- derived from the facts, for the lists and the sweeper.
CREATE TABLE orders (
    order_id    BLOB    NOT NULL PRIMARY KEY CHECK (length(order_id) = 16),
    version     INTEGER NOT NULL,
    customer_id TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    saga_status TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    due_at      INTEGER, -- when the sweeper looks at it; null: it rests
    origin      TEXT    NOT NULL, -- JSON: flow, plan, request id
    details     TEXT    NOT NULL, -- JSON: what was ordered
    state       TEXT    NOT NULL  -- JSON: facts, when commands were sent, length of the history
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_of_customer ON orders (customer_id, order_id);
CREATE INDEX orders_due ON orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX orders_failed ON orders (order_id) WHERE saga_status = 'FAILED';

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
    fingerprint BLOB    NOT NULL,
    order_id    BLOB    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
