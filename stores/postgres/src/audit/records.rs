//! The records that reconciliation compares.

use super::AuditDatabase;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::reconciliation::{AuditRecord, Record, Span};
use ordermill_rows::audit::record;

#[async_trait]
impl OrderRecords<AuditRecord> for AuditDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<AuditRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let read = self.0.read(move |pool| async move {
            let rows = sqlx::query!(
                r#"SELECT order_id, array_agg(event_type) AS "events!"
                       FROM audit_entries WHERE order_id > $1 AND order_id <= $2
                       GROUP BY order_id ORDER BY order_id LIMIT $3"#,
                after.0,
                until.0,
                i64::from(limit)
            )
            .fetch_all(&pool)
            .await?;
            Ok(rows.into_iter().map(|row| record(row.order_id, row.events)).collect())
        });
        read.await
    }
}
