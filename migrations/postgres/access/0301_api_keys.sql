-- API keys. Rows are never deleted: once a key has existed, a server stays locked.
CREATE TABLE api_keys (
    id             text COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) = 8), -- the public part of the key
    hash           bytea       NOT NULL CHECK (length(hash) = 32), -- SHA-256 of the whole key
    role           text        NOT NULL,
    customer_id    text, -- of the role customer only
    name           text        NOT NULL, -- for people; may be empty
    expires_at     timestamptz, -- null: never
    created_at     timestamptz NOT NULL,
    created_by     text        NOT NULL, -- `command line`, or the id of a key
    revoked_at     timestamptz, -- null: it is not revoked
    revoked_reason text,
    CHECK ((role = 'customer') = (customer_id IS NOT NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);
