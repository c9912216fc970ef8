-- What a person should know about a payment: a word, derived from `payment`; null: nothing.
ALTER TABLE payments ADD COLUMN attention TEXT;

CREATE INDEX payments_attention ON payments (order_id) WHERE attention IS NOT NULL;

-- One row per genuine notification of a gateway. The unique key begins with the gateway's name of the payment, under
-- which a batch looks for what is stored.
CREATE TABLE payment_notifications (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    provider    TEXT    NOT NULL,
    reference   TEXT    NOT NULL, -- the gateway's name of the payment, as it is signed
    event_key   BLOB    NOT NULL CHECK (length(event_key) = 32), -- SHA-256 of the body
    order_id    BLOB             CHECK (length(order_id) = 16), -- null: of no payment that was known
    received_at INTEGER NOT NULL, -- when it came first
    times       INTEGER NOT NULL CHECK (times > 0), -- how often it came
    text        TEXT    NOT NULL, -- what it says, for people
    body        BLOB    NOT NULL, -- as it came; never logged
    UNIQUE (provider, reference, event_key)
) STRICT;

CREATE INDEX payment_notifications_order ON payment_notifications (order_id, id);
CREATE INDEX payment_notifications_age ON payment_notifications (received_at);
