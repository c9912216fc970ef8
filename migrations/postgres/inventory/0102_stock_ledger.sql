-- The stock ledger, and the keys of requests to adjust stock.

-- One row for each product that a journal batch has moved, under the version of the stock row that the same
-- batch wrote. Rows are appended and forgotten, never changed.
CREATE TABLE movements (
    product_id text        COLLATE "C" NOT NULL,
    version    bigint      NOT NULL,
    on_hand    bigint      NOT NULL, -- units in the warehouse after the last entry
    reserved   bigint      NOT NULL, -- those of them that orders have a claim on
    at         timestamptz NOT NULL, -- when the batch was decided
    entries    text        NOT NULL, -- JSON: what happened, in its order
    PRIMARY KEY (product_id, version)
);

-- Finds the oldest rows, to forget them. Rows come in the order of their times, so that a few bytes a hundred
-- pages are index enough.
CREATE INDEX movements_age ON movements USING brin (at) WITH (autosummarize = on);

-- Requests to adjust stock that were applied, kept for two days: the same key never adjusts twice.
CREATE TABLE adjustment_keys (
    key         text        NOT NULL PRIMARY KEY,
    fingerprint bytea       NOT NULL, -- of the request
    outcomes    text        NOT NULL, -- JSON: what the request was answered
    created_at  timestamptz NOT NULL
);

CREATE INDEX adjustment_keys_age ON adjustment_keys (created_at);

-- The entries of a product in demand are several KiB: LZ4 compresses them faster, where the server has it.
DO $$
BEGIN
    EXECUTE 'ALTER TABLE movements ALTER COLUMN entries SET COMPRESSION lz4';
EXCEPTION
    WHEN feature_not_supported OR syntax_error THEN NULL;
END
$$;
