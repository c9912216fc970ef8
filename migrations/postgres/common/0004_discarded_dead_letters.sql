-- Dead letters that somebody has discarded, with the reason. They are kept as long as the others, so that
-- it can be looked up what was lost and why.
CREATE TABLE discarded_dead_letters (
    id              uuid        NOT NULL PRIMARY KEY,
    queue           text        NOT NULL,
    order_id        uuid,
    event_type      text,
    cause           text        NOT NULL,
    attempts        bigint      NOT NULL,
    body            text        NOT NULL,
    first_failed_at timestamptz NOT NULL,
    died_at         timestamptz NOT NULL,
    reason          text        NOT NULL,
    discarded_at    timestamptz NOT NULL
);
