//! The notification service as the API sees it.

use super::change::{Answer, Change, Scope, UnreadPage};
use super::entry::NotificationId;
use super::service::NotificationService;
use crate::runtime::journal::{JournalHandle, Verdict};
use crate::runtime::ticket::{Settled, Ticket};
use std::time::Duration;
use thiserror::Error;

/// A request waits this long for its commit before it is told to try again.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// Pause before a request is handed in again of which nobody knows what became.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Nobody could write it in time. Asking again is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the notification service does not answer in time; try again")]
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
        let asking = async {
            loop {
                let (ticket, receiver) = Ticket::channel();
                self.journal.submit(change(), move |verdict| {
                    ticket.settle(match verdict {
                        Verdict::Done(answer) => Settled::Done(answer),
                        Verdict::Refused => Settled::Abandoned,
                        Verdict::Failed(cause) => Settled::Dead(cause),
                    });
                });
                match receiver.await {
                    Ok(Settled::Done(answer)) => return Ok(answer),
                    Ok(Settled::Retry(_) | Settled::Dead(_)) => {
                        return Err(NotificationsUnavailable);
                    }
                    Ok(Settled::Abandoned) | Err(_) => tokio::time::sleep(ASK_AGAIN).await,
                }
            }
        };
        tokio::time::timeout(ASK_TIMEOUT, asking).await.unwrap_or(Err(NotificationsUnavailable))
    }
}
