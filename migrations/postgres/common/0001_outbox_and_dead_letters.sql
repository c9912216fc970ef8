-- What every service has beside its own tables.

-- What was decided to be said. One row a journal batch (64 messages at most), deleted when everybody
-- has heard it. Each process publishes the rows that it owns.
CREATE TABLE outbox (
    id           uuid   NOT NULL PRIMARY KEY,
    owner        bigint NOT NULL,           -- the number of the process that publishes it
    tries        bigint NOT NULL DEFAULT 0, -- how often it was parked
    parked_until timestamptz,               -- null: it waits in the relay's window
    content      text   NOT NULL            -- JSON, as `OutboxRow::to_json` writes it
) WITH (
    -- Rows are few and short-lived: what is dead is cleared away by its number, and at once.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_threshold = 5000,
    toast.autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX outbox_parked ON outbox (parked_until) WHERE parked_until IS NOT NULL;

-- Messages that no consumer could handle, kept for a person to look at.
CREATE TABLE dead_letters (
    id              uuid        NOT NULL PRIMARY KEY,
    queue           text        NOT NULL,
    order_id        uuid,
    event_type      text,
    cause           text        NOT NULL,
    attempts        bigint      NOT NULL,
    body            text        NOT NULL,
    first_failed_at timestamptz NOT NULL,
    died_at         timestamptz NOT NULL
);

-- They are listed, and taken up again, by queue.
CREATE INDEX dead_letters_of_queue ON dead_letters (queue, id);
