//! The records that reconciliation compares.

use super::AuditDatabase;
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::reconciliation::{AuditRecord, Record, Span};
use ordermill_rows::audit::record;
use ordermill_rows::from_json;
use uuid::Uuid;

#[async_trait]
impl OrderRecords<AuditRecord> for AuditDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<AuditRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let read = self.0.read(move |pool| async move {
            let rows = sqlx::query!(
                r#"SELECT order_id AS "order_id!: Uuid", json_group_array(event_type) AS "events!: String"
                       FROM audit_entries WHERE order_id > ?1 AND order_id <= ?2
                       GROUP BY order_id ORDER BY order_id LIMIT ?3"#,
                after.0,
                until.0,
                limit
            )
            .fetch_all(&pool)
            .await?;
            let records = rows.into_iter().map(|row| {
                let events = from_json("list of events", &row.events)?;
                Ok(record(row.order_id, events))
            });
            records.collect::<Result<Vec<_>, Error>>()
        });
        read.await
    }
}
