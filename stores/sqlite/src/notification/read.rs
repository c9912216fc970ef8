//! Reads of notifications. Each kind of filter has a statement of its own, so that each finds its
//! rows by the right index: an order's by the key, a customer's by theirs, the newest from the
//! key's end.

use crate::columns::Micros;
use crate::database::Database;
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::notification::{NotificationFilter, NotificationReads};
use ordermill_actors::ports::ReadError;
use ordermill_domain::notification::{Notification, NotificationId};
use ordermill_rows::notification::{StoredNotification, below};
use sqlx::SqlitePool;
use uuid::Uuid;

/// The notification service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct NotificationDatabase(pub Database);

#[async_trait]
impl NotificationReads for NotificationDatabase {
    async fn notification(&self, id: NotificationId) -> Result<Option<Notification>, ReadError> {
        let topic = id.topic.number();
        let read = self.0.read(move |pool| async move {
            let row = sqlx::query_as!(
                StoredNotification::<Micros>,
                r#"SELECT order_id AS "order_id: Uuid", topic AS "topic!", customer_id, title, body,
                          is_read AS "is_read: bool", created_at
                   FROM notifications WHERE order_id = ?1 AND topic = ?2"#,
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
    pool: &SqlitePool,
    filter: &NotificationFilter,
    limit: u32,
) -> Result<Vec<StoredNotification<Micros>>, Error> {
    let NotificationFilter { order_id, customer_id, topic, is_read, after } = filter;
    let (of, topic) = (order_id.map(|order| order.0), topic.map(|topic| topic.number()));
    let (order, topic_end) = below(*after);
    let rows = sqlx::query_as!(
        StoredNotification::<Micros>,
        r#"SELECT order_id AS "order_id: Uuid", topic AS "topic!", customer_id, title, body,
                  is_read AS "is_read: bool", created_at
           FROM notifications
           WHERE order_id = ?1 AND (order_id, topic) < (?2, ?3)
             AND (?4 IS NULL OR topic = ?4) AND (?5 IS NULL OR is_read = ?5)
             AND (?6 IS NULL OR customer_id = ?6)
           ORDER BY order_id DESC, topic DESC LIMIT ?7"#,
        of,
        order,
        topic_end,
        topic,
        is_read,
        customer_id,
        limit
    );
    Ok(rows.fetch_all(pool).await?)
}

async fn of_customer(
    pool: &SqlitePool,
    filter: &NotificationFilter,
    limit: u32,
) -> Result<Vec<StoredNotification<Micros>>, Error> {
    let NotificationFilter { order_id: _, customer_id, topic, is_read, after } = filter;
    let topic = topic.map(|topic| topic.number());
    let (order, topic_end) = below(*after);
    let rows = sqlx::query_as!(
        StoredNotification::<Micros>,
        r#"SELECT order_id AS "order_id: Uuid", topic AS "topic!", customer_id, title, body,
                  is_read AS "is_read: bool", created_at
           FROM notifications
           WHERE customer_id = ?1 AND (order_id, topic) < (?2, ?3)
             AND (?4 IS NULL OR topic = ?4) AND (?5 IS NULL OR is_read = ?5)
           ORDER BY order_id DESC, topic DESC LIMIT ?6"#,
        customer_id,
        order,
        topic_end,
        topic,
        is_read,
        limit
    );
    Ok(rows.fetch_all(pool).await?)
}

async fn newest(
    pool: &SqlitePool,
    filter: &NotificationFilter,
    limit: u32,
) -> Result<Vec<StoredNotification<Micros>>, Error> {
    let NotificationFilter { order_id: _, customer_id: _, topic, is_read, after } = filter;
    let topic = topic.map(|topic| topic.number());
    let (order, topic_end) = below(*after);
    let rows = sqlx::query_as!(
        StoredNotification::<Micros>,
        r#"SELECT order_id AS "order_id: Uuid", topic AS "topic!", customer_id, title, body,
                  is_read AS "is_read: bool", created_at
           FROM notifications
           WHERE (order_id, topic) < (?1, ?2)
             AND (?3 IS NULL OR topic = ?3) AND (?4 IS NULL OR is_read = ?4)
           ORDER BY order_id DESC, topic DESC LIMIT ?5"#,
        order,
        topic_end,
        topic,
        is_read,
        limit
    );
    Ok(rows.fetch_all(pool).await?)
}
