//! The notification service, as its journal and its store see it.

use super::change::{Change, Keys, NotificationAnswer, Rows, Writes};
use super::policy::NotificationPolicy;
use super::{decide_batch, notify};
use crate::clock::Timestamp;
use crate::ids::ServiceName;
use crate::service::{BatchDecision, FEED_GATHER, Service};
use std::time::Duration;

/// The service.
#[derive(Clone, Copy, Debug, Default)]
pub struct NotificationService {
    /// The channels.
    pub policy: NotificationPolicy,
}

impl Service for NotificationService {
    const NAME: ServiceName = ServiceName::Notification;
    const GATHER: Duration = FEED_GATHER;
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
