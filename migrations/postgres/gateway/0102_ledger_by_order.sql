-- Reconciliation reads the ledger by order, a span of orders at a time. Ids of orders grow, so that what is added
-- lies together.
CREATE INDEX gateway_ledger_of_order ON gateway_ledger (order_id);
