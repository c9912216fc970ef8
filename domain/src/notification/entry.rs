//! An entry: what one customer is told of one order at one moment.

use super::topic::Topic;
use crate::clock::Timestamp;
use crate::ids::OrderId;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use uuid::Uuid;

/// An entry's key. Shown as `<order_id>.<event name>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NotificationId {
    /// The order.
    pub order_id: OrderId,
    /// The event that it is about.
    pub topic: Topic,
}

/// A text is no notification's id.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a notification's id is an order's id, a dot and an event's name, as in `….order.created`")]
pub struct BadNotificationId;

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.order_id, self.topic.as_str())
    }
}

impl FromStr for NotificationId {
    type Err = BadNotificationId;

    fn from_str(text: &str) -> Result<Self, BadNotificationId> {
        let (order, topic) = text.split_once('.').ok_or(BadNotificationId)?;
        let order_id = OrderId(Uuid::try_parse(order).map_err(|_| BadNotificationId)?);
        let topic = Topic::parse(topic).ok_or(BadNotificationId)?;
        Ok(Self { order_id, topic })
    }
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Its key.
    pub id: NotificationId,
    /// The recipient.
    pub customer_id: String,
    /// One line.
    pub title: String,
    /// The text.
    pub body: String,
    /// Whether the customer has read it.
    pub is_read: bool,
    /// When it was stored.
    pub created_at: Timestamp,
}
