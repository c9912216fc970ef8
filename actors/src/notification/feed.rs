//! How notification is fed with events.

use crate::runtime::feed::FeedService;
use ordermill_domain::messages::Message;
use ordermill_domain::notification::{Change, NotificationAnswer, NotificationService};
use std::sync::Arc;

impl FeedService for NotificationService {
    fn take(events: Vec<Arc<Message>>) -> Change {
        Change::Notify(events)
    }

    /// The log is a channel too: one line per entry. An order has several.
    fn taken(answer: NotificationAnswer) {
        let NotificationAnswer::Notified(stored) = answer else { return };
        for entry in stored {
            let request_id = entry.request_id.as_deref().unwrap_or_default();
            let (order_id, topic) = (entry.id.order_id, entry.id.topic.as_str());
            let title = entry.title;
            tracing::debug!(service = "notification", %order_id, request_id, topic, "{title}");
        }
    }
}
