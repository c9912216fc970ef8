-- One row an order: its payment, or that it was undone before it began. A row is written several
-- times within seconds: the pages keep room for that.
CREATE TABLE payments (
    order_id uuid   NOT NULL PRIMARY KEY,
    version  bigint NOT NULL,
    status   text   NOT NULL, -- derived from `payment`, for people
    due_at   timestamptz,     -- when the sweeper takes it up; null: the gateway is not asked
    payment  text   NOT NULL  -- JSON: what is paid, where it stands, how asking the gateway goes
) WITH (fillfactor = 80);

CREATE INDEX payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
