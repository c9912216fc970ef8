//! The records that reconciliation compares.

use super::NotificationDatabase;
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::ids::OrderId;
use ordermill_domain::notification::Topic;
use ordermill_domain::reconciliation::{NotificationRecord, Record, Span};

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
            rows.into_iter()
                .map(|row| {
                    let numbers = row.topics.into_iter().map(i64::from);
                    let says = topics(numbers).map(NotificationRecord);
                    Ok(Record { order_id: OrderId(row.order_id), says })
                })
                .collect::<Result<Vec<_>, Error>>()
        });
        read.await
    }
}

fn topics(numbers: impl IntoIterator<Item = i64>) -> Result<Vec<String>, String> {
    let name = |number| {
        let topic = Topic::numbered(number).ok_or_else(|| format!("unknown topic {number}"))?;
        Ok(topic.as_str().to_owned())
    };
    numbers.into_iter().map(name).collect()
}
