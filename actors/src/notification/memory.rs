//! Notifications in memory: the model that the real stores are held against.

use super::reads::{NotificationFilter, NotificationReads};
use crate::ports::ReadError;
use crate::testing::{MemoryStore, MemoryTables};
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::notification::{
    Keys, Notification, NotificationId, NotificationService, Rows, UNREAD_PAGE, UnreadPage, Writes,
};
use std::collections::BTreeMap;

/// The table.
#[derive(Debug, Default)]
pub struct NotificationMemory {
    /// Every entry.
    pub entries: BTreeMap<NotificationId, Notification>,
}

impl NotificationMemory {
    fn unread(&self, page: &UnreadPage) -> Vec<NotificationId> {
        self.entries
            .values()
            .filter(|entry| !entry.is_read && page.scope.covers(entry))
            .filter(|entry| page.after.is_none_or(|after| entry.id > after))
            .map(|entry| entry.id)
            .take(UNREAD_PAGE)
            .collect()
    }
}

impl MemoryTables<NotificationService> for NotificationMemory {
    fn load(&self, keys: &Keys) -> Rows {
        let is_read = |id: &NotificationId| Some((*id, self.entries.get(id)?.is_read));
        Rows {
            entries: keys.entries.iter().filter_map(is_read).collect(),
            pages: keys.pages.iter().map(|page| (page.clone(), self.unread(page))).collect(),
        }
    }

    fn write(&mut self, writes: &Writes, _at: Timestamp) {
        for entry in &writes.inserts {
            let taken = self.entries.insert(entry.id, entry.clone());
            assert!(taken.is_none(), "an insert finds no entry");
        }
        for (id, is_read) in &writes.marks {
            self.entries.get_mut(id).expect("a mark finds its entry").is_read = *is_read;
        }
    }
}

#[async_trait]
impl NotificationReads for MemoryStore<NotificationMemory> {
    async fn notification(&self, id: NotificationId) -> Result<Option<Notification>, ReadError> {
        Ok(self.with(|table| table.entries.get(&id).cloned()))
    }

    async fn notifications(
        &self,
        filter: &NotificationFilter,
        limit: u32,
    ) -> Result<Vec<Notification>, ReadError> {
        Ok(self.with(|table| {
            let wanted = table.entries.values().rev().filter(|entry| filter.takes(entry));
            wanted.take(limit as usize).cloned().collect()
        }))
    }
}
