//! The entries of a batch while its changes are decided.

use super::change::Rows;
use super::entry::{Notification, NotificationId};
use crate::messages::Message;
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
