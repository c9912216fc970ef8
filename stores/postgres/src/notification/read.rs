//! Reads of notifications. Each kind of filter has a statement of its own, so that each finds its
//! rows by the right index: an order's by the key, a customer's by theirs, the newest from the
//! key's end.

use super::id;
use crate::database::Database;
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::notification::{NotificationFilter, NotificationReads};
use ordermill_actors::ports::ReadError;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::notification::{Notification, NotificationId};
use sqlx::PgPool;
use uuid::Uuid;

/// A number above every topic's.
const TOPIC_END: i16 = i16::MAX;

/// The notification service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct NotificationDatabase(pub Database);

struct StoredNotification {
    order_id: Uuid,
    topic: i16,
    customer_id: String,
    title: String,
    body: String,
    is_read: bool,
    created_at: Timestamp,
}

impl TryFrom<StoredNotification> for Notification {
    type Error = Error;

    fn try_from(row: StoredNotification) -> Result<Self, Error> {
        let StoredNotification { order_id, topic, customer_id, title, body, is_read, created_at } =
            row;
        let id = id(order_id, topic)?;
        Ok(Self { id, customer_id, title, body, is_read, created_at })
    }
}

#[async_trait]
impl NotificationReads for NotificationDatabase {
    async fn notification(&self, id: NotificationId) -> Result<Option<Notification>, ReadError> {
        let topic = i16::from(id.topic.number());
        let read = self.0.read(move |pool| async move {
            let row = sqlx::query_as!(
                StoredNotification,
                "SELECT order_id, topic, customer_id, title, body,
                          is_read, created_at
                   FROM notifications WHERE order_id = $1 AND topic = $2",
                id.order_id.0,
                topic
            )
            .fetch_optional(&pool)
            .await?;
            row.map(Notification::try_from).transpose()
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
            rows.into_iter().map(Notification::try_from).collect()
        });
        read.await
    }
}

fn before(filter: &NotificationFilter) -> (Uuid, i16) {
    filter
        .after
        .map_or((Uuid::max(), TOPIC_END), |last| (last.order_id.0, last.topic.number().into()))
}

async fn of_order(
    pool: &PgPool,
    filter: &NotificationFilter,
    limit: u32,
) -> Result<Vec<StoredNotification>, Error> {
    let NotificationFilter { order_id, customer_id, topic, is_read, after: _ } = filter;
    let (of, topic) = (order_id.map(|order| order.0), topic.map(|topic| i16::from(topic.number())));
    let (order, end) = before(filter);
    let rows = sqlx::query_as!(
        StoredNotification,
        "SELECT order_id, topic, customer_id, title, body,
                  is_read, created_at
           FROM notifications
           WHERE order_id = $1 AND (order_id, topic) < ($2, $3)
             AND ($4::smallint IS NULL OR topic = $4) AND ($5::boolean IS NULL OR is_read = $5)
             AND ($6::text IS NULL OR customer_id = $6)
           ORDER BY order_id DESC, topic DESC LIMIT $7",
        of,
        order,
        end,
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
) -> Result<Vec<StoredNotification>, Error> {
    let NotificationFilter { order_id: _, customer_id, topic, is_read, after: _ } = filter;
    let topic = topic.map(|topic| i16::from(topic.number()));
    let (order, end) = before(filter);
    let rows = sqlx::query_as!(
        StoredNotification,
        "SELECT order_id, topic, customer_id, title, body,
                  is_read, created_at
           FROM notifications
           WHERE customer_id = $1 AND (order_id, topic) < ($2, $3)
             AND ($4::smallint IS NULL OR topic = $4) AND ($5::boolean IS NULL OR is_read = $5)
           ORDER BY order_id DESC, topic DESC LIMIT $6",
        customer_id.as_deref(),
        order,
        end,
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
) -> Result<Vec<StoredNotification>, Error> {
    let NotificationFilter { order_id: _, customer_id: _, topic, is_read, after: _ } = filter;
    let topic = topic.map(|topic| i16::from(topic.number()));
    let (order, end) = before(filter);
    let rows = sqlx::query_as!(
        StoredNotification,
        "SELECT order_id, topic, customer_id, title, body,
                  is_read, created_at
           FROM notifications
           WHERE (order_id, topic) < ($1, $2)
             AND ($3::smallint IS NULL OR topic = $3) AND ($4::boolean IS NULL OR is_read = $4)
           ORDER BY order_id DESC, topic DESC LIMIT $5",
        order,
        end,
        topic,
        *is_read,
        i64::from(limit)
    );
    Ok(rows.fetch_all(pool).await?)
}
