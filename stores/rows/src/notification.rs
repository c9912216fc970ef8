//! Notifications, and where their pages begin.

use crate::columns::StoredTime;
use crate::error::{Corrupt, corrupt};
use ordermill_domain::ids::OrderId;
use ordermill_domain::notification::{Notification, NotificationId, Topic};
use ordermill_domain::reconciliation::{NotificationRecord, Record};
use uuid::Uuid;

/// Above the number of every topic.
const TOPIC_END: i16 = i16::MAX;

/// The key of a row of `notifications`, as it is read.
pub struct StoredNotificationId {
    pub order_id: Uuid,
    pub topic: i64,
}

impl StoredNotificationId {
    /// The notification's id.
    ///
    /// # Errors
    ///
    /// When no topic has the number.
    pub fn id(self) -> Result<NotificationId, Corrupt> {
        id(self.order_id, self.topic)
    }
}

/// The id of a notification, by its order and the number of its topic.
///
/// # Errors
///
/// When no topic has the number.
pub fn id(order_id: Uuid, topic: i64) -> Result<NotificationId, Corrupt> {
    let topic = Topic::numbered(topic).ok_or(topic).map_err(corrupt("topic"))?;
    Ok(NotificationId { order_id: OrderId(order_id), topic })
}

/// A row of `notifications`, as it is read.
pub struct StoredNotification<T> {
    pub order_id: Uuid,
    pub topic: i64,
    pub customer_id: String,
    pub title: String,
    pub body: String,
    pub is_read: bool,
    pub created_at: T,
}

impl<T: StoredTime> StoredNotification<T> {
    /// The notification that the row stands for.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub fn notification(self) -> Result<Notification, Corrupt> {
        let Self { order_id, topic, customer_id, title, body, is_read, created_at } = self;
        let (id, created_at) = (id(order_id, topic)?, created_at.timestamp()?);
        Ok(Notification { id, customer_id, title, body, is_read, created_at })
    }
}

/// The key that a page of descending keys is below. `last` is the last entry of the page before.
pub fn below(last: Option<NotificationId>) -> (Uuid, i16) {
    last.map_or((Uuid::max(), TOPIC_END), key)
}

/// The key that a page of ascending keys is above. `last` is the last entry of the page before.
pub fn above(last: Option<NotificationId>) -> (Uuid, i16) {
    last.map_or((Uuid::nil(), 0), key)
}

fn key(id: NotificationId) -> (Uuid, i16) {
    (id.order_id.0, id.topic.number().into())
}

/// What the notification service says of an order, by the numbers of its topics.
pub fn record<N: Into<i64>>(
    order_id: Uuid,
    topics: impl IntoIterator<Item = N>,
) -> Record<NotificationRecord> {
    let name = |number: N| {
        let number = number.into();
        let topic = Topic::numbered(number).ok_or_else(|| format!("unknown topic {number}"))?;
        Ok(topic.as_str().to_owned())
    };
    let names: Result<Vec<_>, String> = topics.into_iter().map(name).collect();
    Record { order_id: OrderId(order_id), says: names.map(NotificationRecord) }
}
