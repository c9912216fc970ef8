//! Reads of notifications. Each kind of filter has a statement of its own, so that each finds its
//! rows by the right index: an order's by the key, a customer's by theirs, the newest from the
//! key's end.

use crate::database::Database;
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::notification::{NotificationFilter, NotificationReads};
use ordermill_actors::ports::ReadError;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::notification::{Notification, NotificationId};
use ordermill_rows::notification::{StoredNotification, below};
use sqlx::PgPool;

/// The notification service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct NotificationDatabase(pub Database);

#[async_trait]
impl NotificationReads for NotificationDatabase {
    async fn notification(&self, id: NotificationId) -> Result<Option<Notification>, ReadError> {
        let topic = i16::from(id.topic.number());
        let read = self.0.read(move |pool| async move {
            let row = sqlx::query_as!(
                StoredNotification::<Timestamp>,
                "SELECT order_id, topic, customer_id, title, body,
                          is_read, created_at
                   FROM notifications WHERE order_id = $1 AND topic = $2",
                id.order_id.0,
                topic
            )
            .fetch_optional(&pool)
            .await?;
            Ok(row.map(StoredNotification::notification).transpose()?)
        });
        read.await
    }

    async fn notifications(
        &self,
        filter: &NotificationFilter,
        limit: u32,
    ) -> Result<Vec<Notification>, ReadError> {
        let filter = filter.clone();
        let read = self.0.read(move |pool| async move {
            let rows = match (&filter.order_id, &filter.customer_id) {
                (Some(_), _) => of_order(&pool, &filter, limit).await?,
                (None, Some(_)) => of_customer(&pool, &filter, limit).await?,
                (None, None) => newest(&pool, &filter, limit).await?,
            };
            let entries = rows.into_iter().map(StoredNotification::notification);
            Ok(entries.collect::<Result<_, _>>()?)
        });
        read.await
    }
}

async fn of_order(
    pool: &PgPool,
    filter: &NotificationFilter,
    limit: u32,
) -> Result<Vec<StoredNotification<Timestamp>>, Error> {
    let NotificationFilter { order_id, customer_id, topic, is_read, after } = filter;
    let (of, topic) = (order_id.map(|order| order.0), topic.map(|topic| i16::from(topic.number())));
    let (order, topic_end) = below(*after);
    let rows = sqlx::query_as!(
        StoredNotification::<Timestamp>,
        "SELECT order_id, topic, customer_id, title, body,
                  is_read, created_at
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
    Ok(rows.fetch_all(pool).await?)
}

async fn of_customer(
    pool: &PgPool,
    filter: &NotificationFilter,
    limit: u32,
) -> Result<Vec<StoredNotification<Timestamp>>, Error> {
    let NotificationFilter { order_id: _, customer_id, topic, is_read, after } = filter;
    let topic = topic.map(|topic| i16::from(topic.number()));
    let (order, topic_end) = below(*after);
    let rows = sqlx::query_as!(
        StoredNotification::<Timestamp>,
        "SELECT order_id, topic, customer_id, title, body,
                  is_read, created_at
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
    Ok(rows.fetch_all(pool).await?)
}

async fn newest(
    pool: &PgPool,
    filter: &NotificationFilter,
    limit: u32,
) -> Result<Vec<StoredNotification<Timestamp>>, Error> {
    let NotificationFilter { order_id: _, customer_id: _, topic, is_read, after } = filter;
    let topic = topic.map(|topic| i16::from(topic.number()));
    let (order, topic_end) = below(*after);
    let rows = sqlx::query_as!(
        StoredNotification::<Timestamp>,
        "SELECT order_id, topic, customer_id, title, body,
                  is_read, created_at
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
    Ok(rows.fetch_all(pool).await?)
}
