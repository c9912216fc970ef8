-- What customers are told. Times are microseconds since 1970, UTC.

-- One row for each order and topic.
-- Topics: 1 order.created, 2 order.confirmed, 3 order.shipped, 4 order.completed, 5 order.cancelled.
CREATE TABLE notifications (
    order_id    BLOB    NOT NULL CHECK (length(order_id) = 16),
    topic       INTEGER NOT NULL CHECK (topic BETWEEN 1 AND 5),
    customer_id TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    is_read     INTEGER NOT NULL DEFAULT 0 CHECK (is_read IN (0, 1)),
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (order_id, topic)
) STRICT, WITHOUT ROWID;

-- A customer's entries are listed by order: the index contains the primary key.
CREATE INDEX notifications_of_customer ON notifications (customer_id);
