-- The stock ledger, and the keys of requests to adjust stock. Times are microseconds since 1970, UTC.

-- One row for each product that a journal batch has moved, under the version of the stock row that the same
-- batch wrote. Rowids grow with time, so that the oldest rows are forgotten without another index.
CREATE TABLE movements (
    product_id TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    on_hand    INTEGER NOT NULL, -- units in the warehouse after the last entry
    reserved   INTEGER NOT NULL, -- those of them that orders have a claim on
    at         INTEGER NOT NULL, -- when the batch was decided
    entries    TEXT    NOT NULL, -- JSON: what happened, in its order
    PRIMARY KEY (product_id, version)
) STRICT;

-- Requests to adjust stock that were applied, kept for two days: the same key never adjusts twice.
CREATE TABLE adjustment_keys (
    key         TEXT    NOT NULL PRIMARY KEY,
    fingerprint BLOB    NOT NULL, -- of the request
    outcomes    TEXT    NOT NULL, -- JSON: what the request was answered
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX adjustment_keys_age ON adjustment_keys (created_at);
