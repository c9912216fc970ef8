//! Changes of the notification service, and what a batch of them reads, writes and answers.

use super::entry::{Notification, NotificationId};
use crate::expected::Expected;
use crate::ids::OrderId;
use crate::messages::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Entries marked by one change at the most: enough for any customer, few enough that the journal's
/// other changes wait for some tens of milliseconds only.
pub const UNREAD_PAGE: usize = 5_000;

/// One thing asked of notification.
#[derive(Clone, Debug)]
pub enum Change {
    /// Tell customers of these events.
    Notify(Vec<Arc<Message>>),
    /// Mark an entry as read, or as unread.
    MarkRead {
        /// The entry.
        id: NotificationId,
        /// The new read status.
        is_read: bool,
        /// Whether it may be read, or unread, for that. If it is not so, nothing is marked.
        expected: Expected<bool>,
    },
    /// Mark the first entries of a page of unread ones as read, [`UNREAD_PAGE`] at most.
    MarkAllRead(UnreadPage),
}

/// Whose entries. What is None is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// Of this customer.
    pub customer_id: Option<String>,
    /// Of this order.
    pub order_id: Option<OrderId>,
}

impl Scope {
    /// True when an entry is among those meant.
    pub fn covers(&self, entry: &Notification) -> bool {
        self.customer_id.as_ref().is_none_or(|customer| *customer == entry.customer_id)
            && self.order_id.is_none_or(|order| order == entry.id.order_id)
    }
}

/// The unread entries of a scope after one of them, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnreadPage {
    /// Whose.
    pub scope: Scope,
    /// After this one. None: from the first.
    pub after: Option<NotificationId>,
}

/// The rows that a batch needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// These entries.
    pub entries: BTreeSet<NotificationId>,
    /// [`UNREAD_PAGE`] entries at most of each of these.
    pub pages: BTreeSet<UnreadPage>,
}

/// Those rows, as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Entries that there are, and whether they are read.
    pub entries: BTreeMap<NotificationId, bool>,
    /// The unread ones of each page, in their order.
    pub pages: BTreeMap<UnreadPage, Vec<NotificationId>>,
}

/// The rows that a batch writes: each at most once, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// New entries. The store inserts plainly: one that is there already is a batch to be tried
    /// again.
    pub inserts: Vec<Notification>,
    /// Entries that are read, or unread, from now on.
    pub marks: Vec<(NotificationId, bool)>,
}

/// An entry that was stored, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Which.
    pub id: NotificationId,
    /// Its title.
    pub title: String,
    /// The `X-Request-ID` of the request that placed its order.
    pub request_id: Option<Arc<str>>,
}

/// The answer to a change, sent when it is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationAnswer {
    /// These entries are new.
    Notified(Vec<StoredEntry>),
    /// The entry is marked.
    Marked,
    /// There is no such entry.
    NotFound,
    /// The entry is not as it was expected: it is read, or unread. Nothing is marked.
    Stale {
        /// Its read status.
        is_read: bool,
    },
    /// So many entries were unread and are read now.
    MarkedAll {
        /// How many.
        count: u64,
        /// Where to go on: there may be more after this one. None: that was all.
        next: Option<NotificationId>,
    },
}
