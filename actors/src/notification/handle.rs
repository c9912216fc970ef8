//! The notification service as the API sees it.

use crate::runtime::journal::JournalHandle;
use crate::runtime::request::{self, LATE, RequestError};
use crate::runtime::ticket::Ticket;
use ordermill_domain::expected::Expected;
use ordermill_domain::notification::{
    Change, NotificationAnswer, NotificationId, NotificationService, Scope, UnreadPage,
};
use thiserror::Error;

/// Why entries were not marked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MarkError {
    /// There is no such entry.
    #[error("there is no such notification")]
    NotFound,
    /// It is not as it was expected.
    #[error("the notification is marked as {}", if *is_read { "read" } else { "unread" })]
    Stale {
        /// Its read status.
        is_read: bool,
    },
    /// The database refuses to store it, and will refuse it again.
    #[error("the notification database rejects this change permanently: {0}")]
    Impossible(String),
    /// Nobody could write it in time. Asking again is safe.
    #[error("the notification service {LATE}")]
    Unavailable,
}

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

    /// Marks an entry as read or unread, if it is as expected.
    pub async fn mark_read(
        &self,
        id: NotificationId,
        is_read: bool,
        expected: Expected<bool>,
    ) -> Result<(), MarkError> {
        let change = || Change::MarkRead { id, is_read, expected: expected.clone() };
        match self.ask(change).await? {
            NotificationAnswer::Marked => Ok(()),
            NotificationAnswer::NotFound => Err(MarkError::NotFound),
            NotificationAnswer::Stale { is_read } => Err(MarkError::Stale { is_read }),
            NotificationAnswer::Notified(_) | NotificationAnswer::MarkedAll { .. } => {
                Err(MarkError::Unavailable)
            }
        }
    }

    /// Marks everything unread of a scope as read: how many there were. When it fails half way,
    /// asking again marks the rest.
    pub async fn mark_all_read(&self, scope: Scope) -> Result<u64, MarkError> {
        let mut total = 0;
        let mut page = UnreadPage { scope, after: None };
        loop {
            let answer = self.ask(|| Change::MarkAllRead(page.clone())).await?;
            let NotificationAnswer::MarkedAll { count, next } = answer else {
                return Err(MarkError::Unavailable);
            };
            total += count;
            if next.is_none() {
                return Ok(total);
            }
            page.after = next;
        }
    }

    async fn ask(&self, change: impl Fn() -> Change) -> Result<NotificationAnswer, MarkError> {
        let hand_in = |ticket: Ticket<_>| {
            self.journal.submit(change(), move |outcome| ticket.complete(outcome.into()));
        };
        request::ask(hand_in).await.map_err(|why| match why {
            RequestError::Impossible(cause) => MarkError::Impossible(cause),
            RequestError::Failed(_) | RequestError::Late => MarkError::Unavailable,
        })
    }
}
