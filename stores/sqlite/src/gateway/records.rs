//! The records that reconciliation compares.

use super::GatewayDatabase;
use crate::columns::Micros;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::reconciliation::{LedgerRecord, Record, Span};
use ordermill_rows::gateway::{self, StoredGatewayEntry};
use uuid::Uuid;

#[async_trait]
impl OrderRecords<LedgerRecord> for GatewayDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<LedgerRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let query = sqlx::query_as!(
            StoredGatewayEntry::<Micros>,
            r#"SELECT key AS "key: Uuid", status, order_id AS "order_id: Uuid", currency,
                      amount_minor, method, captured_minor, refunded_minor, transaction_id,
                      charge_attempts, refund_attempts, created_at, changed_at,
                      details
               FROM gateway_ledger
               WHERE order_id IN (SELECT DISTINCT order_id FROM gateway_ledger
                                  WHERE order_id > ?1 AND order_id <= ?2
                                  ORDER BY order_id LIMIT ?3)
               ORDER BY order_id, key"#,
            after.0,
            until.0,
            limit
        );
        Ok(gateway::records(self.0.rows(query, Ok).await?))
    }
}
