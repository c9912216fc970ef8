-- Which installation this schema belongs to, drawn once. The vhost on RabbitMQ is claimed by it, so that
-- two installations with databases of their own do not share a vhost by mistake. A restored backup has the
-- identity of its original.
CREATE TABLE installation (
    is_only  boolean NOT NULL PRIMARY KEY DEFAULT TRUE CHECK (is_only), -- one row
    identity uuid    NOT NULL
);

INSERT INTO installation (identity) VALUES (gen_random_uuid());
