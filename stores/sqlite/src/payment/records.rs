//! The records that reconciliation compares.

use super::PaymentDatabase;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::reconciliation::{PaymentRecord, Record, Span};
use ordermill_rows::payment::StoredPayment;
use uuid::Uuid;

#[async_trait]
impl OrderRecords<PaymentRecord> for PaymentDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<PaymentRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let query = sqlx::query_as!(
            StoredPayment,
            r#"SELECT order_id AS "order_id: Uuid", version, payment FROM payments
               WHERE order_id > ?1 AND order_id <= ?2 ORDER BY order_id LIMIT ?3"#,
            after.0,
            until.0,
            limit
        );
        self.0.rows(query, |row| Ok(row.record())).await
    }
}
