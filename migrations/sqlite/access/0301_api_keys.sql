-- API keys. Rows are never deleted: once a key has existed, a server stays locked.
CREATE TABLE api_keys (
    id             TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 8), -- the public part of the key
    hash           BLOB    NOT NULL CHECK (length(hash) = 32), -- SHA-256 of the whole key
    role           TEXT    NOT NULL,
    customer_id    TEXT, -- of the role customer only
    name           TEXT    NOT NULL, -- for people; may be empty
    expires_at     INTEGER, -- null: never
    created_at     INTEGER NOT NULL,
    created_by     TEXT    NOT NULL, -- `command line`, or the id of a key
    revoked_at     INTEGER, -- null: it is not revoked
    revoked_reason TEXT,
    CHECK ((role = 'customer') = (customer_id IS NOT NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
) STRICT;
