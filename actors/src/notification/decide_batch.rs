//! Decides a batch: each change in turn, on the entries as the changes before it leave them.

use super::change::{Change, NotificationAnswer, Rows, Writes};
use super::entry::{Notification, NotificationId};
use super::service::{NotificationPolicy, NotificationService};
use super::{mark_all_read, mark_read, notify};
use crate::clock::Timestamp;
use crate::messages::Message;
use crate::runtime::service::{BatchDecision, Outcome};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The entries that a batch concerns, as they are after the changes decided so far.
pub(super) struct EntryBatch {
    pub rows: Rows,
    pub inserts: BTreeMap<NotificationId, Notification>,
    pub marks: BTreeMap<NotificationId, bool>,
    pub messages: Vec<Arc<Message>>,
}

impl EntryBatch {
    /// Whether an entry is read. None: there is no such entry.
    pub fn is_read(&self, id: &NotificationId) -> Option<bool> {
        let new = self.inserts.get(id).map(|entry| entry.is_read);
        new.or_else(|| self.marks.get(id).copied()).or_else(|| self.stored(id))
    }

    fn stored(&self, id: &NotificationId) -> Option<bool> {
        let paged = || self.rows.pages.values().any(|page| page.binary_search(id).is_ok());
        self.rows.entries.get(id).copied().or_else(|| paged().then_some(false))
    }

    /// Marks an entry that there is.
    pub fn mark(&mut self, id: NotificationId, is_read: bool) {
        match self.inserts.get_mut(&id) {
            Some(new) => new.is_read = is_read,
            None => {
                self.marks.insert(id, is_read);
            }
        }
    }
}

/// Decides a batch. Nothing is ever refused: what is decided here is decided on the locked rows.
pub(super) fn decide_batch(
    policy: NotificationPolicy,
    rows: Rows,
    changes: &[Change],
    at: Timestamp,
) -> BatchDecision<NotificationService> {
    let mut batch =
        EntryBatch { rows, inserts: BTreeMap::new(), marks: BTreeMap::new(), messages: Vec::new() };
    let mut decide = |change: &Change| -> NotificationAnswer {
        match change {
            Change::Notify(events) => notify::notify(&mut batch, policy, events, at),
            Change::MarkRead { id, is_read, expected } => {
                mark_read::mark_read(&mut batch, *id, *is_read, expected)
            }
            Change::MarkAllRead(page) => mark_all_read::mark_all_read(&mut batch, page),
        }
    };
    let outcomes = changes.iter().map(|change| Outcome::Done(decide(change))).collect();
    let EntryBatch { rows: _, inserts, marks, messages } = batch;
    let writes =
        Writes { inserts: inserts.into_values().collect(), marks: marks.into_iter().collect() };
    BatchDecision { writes, outcomes, messages }
}
