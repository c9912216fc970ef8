//! The records that reconciliation compares.

use super::GatewayDatabase;
use super::rows::StoredGatewayEntry;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::ids::OrderId;
use ordermill_domain::reconciliation::{LedgerEntry, LedgerRecord, Record, Span};
use std::collections::BTreeMap;

#[async_trait]
impl OrderRecords<LedgerRecord> for GatewayDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<LedgerRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        self.0
            .read(move |readers| async move {
                let rows = sqlx::query_as!(
                    StoredGatewayEntry,
                    "SELECT key, status, order_id, currency, amount_minor, method,
                              captured_minor, refunded_minor, transaction_id, charge_attempts,
                              refund_attempts, created_at, changed_at
                       FROM gateway_ledger
                       WHERE order_id IN (SELECT DISTINCT order_id FROM gateway_ledger
                                          WHERE order_id > $1 AND order_id <= $2
                                          ORDER BY order_id LIMIT $3)
                       ORDER BY order_id, key",
                    after.0,
                    until.0,
                    i64::from(limit)
                )
                .fetch_all(&readers)
                .await?;
                // An order may have been charged under several keys.
                let mut orders: BTreeMap<OrderId, Result<LedgerRecord, String>> = BTreeMap::new();
                for row in rows {
                    let Some(order) = row.order_id.map(OrderId) else { continue };
                    let of_order =
                        orders.entry(order).or_insert_with(|| Ok(LedgerRecord::default()));
                    match (row.into_entry(), of_order) {
                        (Ok(entry), Ok(record)) => record.0.extend(LedgerEntry::of(&entry)),
                        (Err(error), of_order) => *of_order = Err(error.to_string()),
                        (Ok(_), Err(_)) => {}
                    }
                }
                let record = |(order_id, says)| Record { order_id, says };
                Ok(orders.into_iter().map(record).collect())
            })
            .await
    }
}
