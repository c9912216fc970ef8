-- One row per order: its payment, or that it was undone before it began (a tombstone). A row is written twice within
-- seconds: with room for both versions in one page, the log of the second contains only what has changed.
CREATE TABLE payments (
    order_id uuid   NOT NULL PRIMARY KEY,
    version  bigint NOT NULL,
    status   text   NOT NULL, -- derived from `payment`, for people
    due_at   timestamptz,     -- when the sweeper takes it up; null: the gateway is not asked
    payment  text   NOT NULL  -- JSON: what is paid, where it stands, how asking the gateway goes
) WITH (fillfactor = 50);

CREATE INDEX payments_due ON payments (due_at) WHERE due_at IS NOT NULL;
