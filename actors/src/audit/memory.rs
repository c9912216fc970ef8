//! Kept events in memory: the model that the real stores are held against.

use super::reads::AuditReads;
use crate::ports::ReadError;
use crate::testing::{MemoryStore, MemoryTables};
use async_trait::async_trait;
use ordermill_domain::audit::{AuditCursor, AuditEntry, AuditService};
use ordermill_domain::clock::{Timestamp, storable};
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Kind, Message};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The table.
#[derive(Debug, Default)]
pub struct AuditMemory {
    /// Every entry, in the order of its position.
    pub entries: Vec<AuditEntry>,
    keys: BTreeSet<(OrderId, Kind, u32)>,
}

impl MemoryTables<AuditService> for AuditMemory {
    fn load(&self, (): &()) {}

    fn write(&mut self, events: &Vec<Arc<Message>>, at: Timestamp) {
        for event in events {
            if self.keys.insert((event.order_id(), event.kind(), event.number)) {
                self.entries.push(AuditEntry {
                    position: self.entries.len() as i64 + 1,
                    order_id: event.order_id(),
                    event_id: event.event_id,
                    event_type: event.kind().as_str().to_owned(),
                    number: event.number,
                    occurred_at: storable(event.occurred_at),
                    recorded_at: storable(at),
                    message: event.json().to_owned(),
                });
            }
        }
    }
}

#[async_trait]
impl AuditReads for MemoryStore<AuditMemory> {
    async fn events(
        &self,
        order: OrderId,
        after: Option<AuditCursor>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, ReadError> {
        let mut entries: Vec<_> = self.with(|table| {
            table.entries.iter().filter(|entry| entry.order_id == order).cloned().collect()
        });
        entries.sort_by_key(AuditEntry::cursor);
        entries.retain(|entry| after.is_none_or(|after| entry.cursor() > after));
        entries.truncate(limit as usize);
        Ok(entries)
    }
}
