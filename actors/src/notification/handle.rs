//! The notification service as the API sees it.

use super::change::{Answer, Change, Scope, UnreadPage};
use super::entry::NotificationId;
use super::service::NotificationService;
use crate::runtime::asking::{self, LATE};
use crate::runtime::journal::JournalHandle;
use crate::runtime::ticket::{Settled, Ticket};
use thiserror::Error;

/// Nobody could write it in time. Asking again is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the notification service {LATE}")]
pub struct NotificationsUnavailable;

/// Marks entries. Cheap to clone.
#[derive(Clone)]
pub struct Notifications {
    journal: JournalHandle<NotificationService>,
}

impl Notifications {
    /// The entries behind this journal.
    pub fn new(journal: JournalHandle<NotificationService>) -> Self {
        Self { journal }
    }

    /// Marks an entry as read or unread. False: there is no such entry.
    pub async fn mark_read(
        &self,
        id: NotificationId,
        is_read: bool,
    ) -> Result<bool, NotificationsUnavailable> {
        let answer = self.ask(|| Change::MarkRead { id, is_read }).await?;
        Ok(answer == Answer::Marked)
    }

    /// Marks everything unread of a scope as read: how many there were. When it fails half way,
    /// asking again marks the rest.
    pub async fn mark_all_read(&self, scope: Scope) -> Result<u64, NotificationsUnavailable> {
        let mut total = 0;
        let mut page = UnreadPage { scope, after: None };
        loop {
            let answer = self.ask(|| Change::MarkAllRead(page.clone())).await?;
            let Answer::MarkedAll { count, next } = answer else {
                return Err(NotificationsUnavailable);
            };
            total += count;
            if next.is_none() {
                return Ok(total);
            }
            page.after = next;
        }
    }

    async fn ask(&self, change: impl Fn() -> Change) -> Result<Answer, NotificationsUnavailable> {
        let hand_in = |ticket: Ticket<_>| {
            self.journal.submit(change(), move |verdict| ticket.settle(verdict.into()));
        };
        match asking::ask(hand_in).await {
            Some(Settled::Done(answer)) => Ok(answer),
            Some(Settled::Retry(_) | Settled::Dead(_) | Settled::Abandoned) | None => {
                Err(NotificationsUnavailable)
            }
        }
    }
}
