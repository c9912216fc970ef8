-- JSON: page, review and refunds of a payment; null for payments that have none of them.
ALTER TABLE gateway_ledger ADD COLUMN details text;
