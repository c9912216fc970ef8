//! The records that reconciliation compares.

use super::OrderDatabase;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::reconciliation::{OrderRecord, Record, Span};
use ordermill_rows::order::StoredOrder;

#[async_trait]
impl OrderRecords<OrderRecord> for OrderDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<OrderRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        self.0
            .read(move |readers| async move {
                let rows = sqlx::query_as!(
                    StoredOrder::<Timestamp>,
                    "SELECT s.order_id, version, created_at, updated_at, due_at,
                              origin, details, state
                       FROM sagas AS s JOIN orders USING (order_id)
                       WHERE s.order_id > $1 AND s.order_id <= $2
                       ORDER BY s.order_id LIMIT $3",
                    after.0,
                    until.0,
                    i64::from(limit)
                )
                .fetch_all(&readers)
                .await?;
                Ok(rows.into_iter().map(StoredOrder::record).collect())
            })
            .await
    }
}
