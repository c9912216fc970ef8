//! The notification service, as its journal and its store see it.

use super::change::{Change, Keys, NotificationAnswer, Rows, Writes};
use super::policy::NotificationPolicy;
use super::{decide_batch, notify};
use crate::clock::Timestamp;
use crate::ids::ServiceName;
use crate::messages::Message;
use crate::runtime::feed::{self, FeedService};
use crate::runtime::service::{BatchDecision, Service};
use std::sync::Arc;
use std::time::Duration;

/// The service.
#[derive(Clone, Copy, Debug, Default)]
pub struct NotificationService {
    /// The channels.
    pub policy: NotificationPolicy,
}

impl Service for NotificationService {
    const NAME: ServiceName = ServiceName::Notification;
    const GATHER: Duration = feed::GATHER;
    type Change = Change;
    type Keys = Keys;
    type Rows = Rows;
    type Writes = Writes;
    type Answer = NotificationAnswer;

    fn keys(changes: &[Change]) -> Keys {
        let mut keys = Keys::default();
        for change in changes {
            match change {
                Change::Notify(events) => keys.entries.extend(notify::ids(events)),
                Change::MarkRead { id, is_read: _, expected: _ } => {
                    keys.entries.insert(*id);
                }
                Change::MarkAllRead(page) => {
                    keys.pages.insert(page.clone());
                }
            }
        }
        keys
    }

    fn decide_batch(
        &self,
        rows: Rows,
        changes: &[Change],
        at: Timestamp,
    ) -> BatchDecision<Self::Answer, Self::Writes> {
        decide_batch::decide_batch(self.policy, rows, changes, at)
    }
}

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
