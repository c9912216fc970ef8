-- A payment is written twice within seconds. With room for both in its page, the log of the second holds
-- only what has changed.
ALTER TABLE payments SET (fillfactor = 50);
