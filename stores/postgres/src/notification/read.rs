//! Reads of notifications. Each kind of filter has a statement of its own, so that each finds its
//! rows by the right index: an order's by the key, a customer's by theirs, the newest from the
//! key's end.

use crate::database::Database;
use async_trait::async_trait;
use ordermill_actors::notification::{NotificationFilter, NotificationReads};
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::notification::{Notification, NotificationId};
use ordermill_domain::reconciliation::{NotificationRecord, Record, Span};
use ordermill_rows::notification::{StoredNotification, below, record};

/// The notification service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct NotificationDatabase(pub Database);

#[async_trait]
impl NotificationReads for NotificationDatabase {
    async fn notification(&self, id: NotificationId) -> Result<Option<Notification>, ReadError> {
        let topic = i16::from(id.topic.number());
        let query = sqlx::query_as!(
            StoredNotification::<Timestamp>,
            "SELECT order_id, topic, customer_id, title, body, is_read, created_at
             FROM notifications WHERE order_id = $1 AND topic = $2",
            id.order_id.0,
            topic
        );
        self.0.row(query, StoredNotification::notification).await
    }

    async fn notifications(
        &self,
        filter: &NotificationFilter,
        limit: u32,
    ) -> Result<Vec<Notification>, ReadError> {
        let NotificationFilter { order_id, customer_id, topic, is_read, after } = filter;
        let topic = topic.map(|topic| i16::from(topic.number()));
        let (order, topic_end) = below(*after);
        match (order_id.map(|order| order.0), customer_id) {
            (Some(of), _) => {
                let query = sqlx::query_as!(
                    StoredNotification::<Timestamp>,
                    "SELECT order_id, topic, customer_id, title, body, is_read, created_at
                     FROM notifications
                     WHERE order_id = $1 AND (order_id, topic) < ($2, $3)
                       AND ($4::smallint IS NULL OR topic = $4) AND ($5::boolean IS NULL OR is_read = $5)
                       AND ($6::text IS NULL OR customer_id = $6)
                     ORDER BY order_id DESC, topic DESC LIMIT $7",
                    of,
                    order,
                    topic_end,
                    topic,
                    *is_read,
                    customer_id.as_deref(),
                    i64::from(limit)
                );
                self.0.rows(query, StoredNotification::notification).await
            }
            (None, Some(_)) => {
                let query = sqlx::query_as!(
                    StoredNotification::<Timestamp>,
                    "SELECT order_id, topic, customer_id, title, body, is_read, created_at
                     FROM notifications
                     WHERE customer_id = $1 AND (order_id, topic) < ($2, $3)
                       AND ($4::smallint IS NULL OR topic = $4) AND ($5::boolean IS NULL OR is_read = $5)
                     ORDER BY order_id DESC, topic DESC LIMIT $6",
                    customer_id.as_deref(),
                    order,
                    topic_end,
                    topic,
                    *is_read,
                    i64::from(limit)
                );
                self.0.rows(query, StoredNotification::notification).await
            }
            (None, None) => {
                let query = sqlx::query_as!(
                    StoredNotification::<Timestamp>,
                    "SELECT order_id, topic, customer_id, title, body, is_read, created_at
                     FROM notifications
                     WHERE (order_id, topic) < ($1, $2)
                       AND ($3::smallint IS NULL OR topic = $3) AND ($4::boolean IS NULL OR is_read = $4)
                     ORDER BY order_id DESC, topic DESC LIMIT $5",
                    order,
                    topic_end,
                    topic,
                    *is_read,
                    i64::from(limit)
                );
                self.0.rows(query, StoredNotification::notification).await
            }
        }
    }
}

#[async_trait]
impl OrderRecords<NotificationRecord> for NotificationDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<NotificationRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let query = sqlx::query!(
            r#"SELECT order_id, array_agg(topic ORDER BY topic) AS "topics!"
                   FROM notifications WHERE order_id > $1 AND order_id <= $2
                   GROUP BY order_id ORDER BY order_id LIMIT $3"#,
            after.0,
            until.0,
            i64::from(limit)
        );
        self.0.rows(query, |row| Ok(record(row.order_id, row.topics))).await
    }
}
