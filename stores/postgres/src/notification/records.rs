//! The records that reconciliation compares.

use super::NotificationDatabase;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::reconciliation::{NotificationRecord, Record, Span};
use ordermill_rows::notification::record;

#[async_trait]
impl OrderRecords<NotificationRecord> for NotificationDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<NotificationRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let read = self.0.read(move |pool| async move {
            let rows = sqlx::query!(
                r#"SELECT order_id, array_agg(topic ORDER BY topic) AS "topics!"
                       FROM notifications WHERE order_id > $1 AND order_id <= $2
                       GROUP BY order_id ORDER BY order_id LIMIT $3"#,
                after.0,
                until.0,
                i64::from(limit)
            )
            .fetch_all(&pool)
            .await?;
            Ok(rows.into_iter().map(|row| record(row.order_id, row.topics)).collect())
        });
        read.await
    }
}
