-- What customers are told: one row for each order and topic.
-- Topics: 1 order.created, 2 order.confirmed, 3 order.shipped, 4 order.completed, 5 order.cancelled.
CREATE TABLE notifications (
    order_id    uuid        NOT NULL,
    topic       smallint    NOT NULL CHECK (topic BETWEEN 1 AND 5),
    customer_id text        NOT NULL,
    title       text        NOT NULL,
    body        text        NOT NULL,
    is_read     boolean     NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (order_id, topic)
);

-- A customer's entries are listed by order.
CREATE INDEX notifications_of_customer ON notifications (customer_id, order_id, topic);
