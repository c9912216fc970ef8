-- The audit: every event, in the order in which it was stored. Append-only.
CREATE TABLE audit_entries (
    position    bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    order_id    uuid        NOT NULL,
    event_type  text        NOT NULL,
    number      bigint      NOT NULL, -- 0, and counted on where the same thing may happen twice
    event_id    uuid        NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    message     text        NOT NULL, -- JSON: envelope and payload, as they were published
    PRIMARY KEY (order_id, event_type, number)
);

CREATE FUNCTION refuse_to_change_audit_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are append-only';
END
$$;

CREATE TRIGGER audit_entries_never_change BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_to_change_audit_entries();

CREATE TRIGGER audit_entries_are_kept BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit_entries();
