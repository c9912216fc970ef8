//! Reads of notifications, outside of their own transactions.

use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::ids::OrderId;
use ordermill_domain::notification::{Notification, NotificationId, Topic};

/// Which entries are listed; what is None is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationFilter {
    /// Of this order.
    pub order_id: Option<OrderId>,
    /// Of this customer.
    pub customer_id: Option<String>,
    /// Of this type.
    pub topic: Option<Topic>,
    /// Read, or unread.
    pub is_read: Option<bool>,
    /// Listed after this one: the last of the page before.
    pub after: Option<NotificationId>,
}

impl NotificationFilter {
    /// True when an entry is among those asked for.
    pub fn takes(&self, entry: &Notification) -> bool {
        self.order_id.is_none_or(|order| order == entry.id.order_id)
            && self.customer_id.as_ref().is_none_or(|customer| *customer == entry.customer_id)
            && self.topic.is_none_or(|topic| topic == entry.id.topic)
            && self.is_read.is_none_or(|is_read| is_read == entry.is_read)
            && self.after.is_none_or(|after| entry.id < after)
    }
}

/// Reads committed notifications.
#[async_trait]
pub trait NotificationReads: Send + Sync + 'static {
    /// An entry.
    async fn notification(&self, id: NotificationId) -> Result<Option<Notification>, ReadError>;

    /// Entries, those of the newest order first, and of an order the latest first; `limit` at most.
    async fn notifications(
        &self,
        filter: &NotificationFilter,
        limit: u32,
    ) -> Result<Vec<Notification>, ReadError>;
}
