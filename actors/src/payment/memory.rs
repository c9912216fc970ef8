//! The payment service's tables in memory.

use super::reads::{NotificationLog, PaymentReads};
use crate::ports::ReadError;
use crate::testing::{MemoryStore, MemoryTables};
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    Attention, KnownNotifications, NotificationRow, PaymentKeys, PaymentRow, PaymentRows,
    PaymentService, PaymentWrite, PaymentWrites, StoredNotification,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The tables.
#[derive(Default)]
pub struct PaymentTables {
    rows: BTreeMap<OrderId, PaymentRow>,
    notifications: BTreeMap<Uuid, StoredNotification>,
}

impl PaymentTables {
    /// Every payment, by order.
    pub fn rows(&self) -> impl Iterator<Item = &PaymentRow> {
        self.rows.values()
    }

    /// Every stored notification, as they came.
    pub fn notifications(&self) -> impl Iterator<Item = &StoredNotification> {
        self.notifications.values()
    }
}

impl MemoryTables<PaymentService> for PaymentTables {
    fn load(&self, keys: &PaymentKeys) -> PaymentRows {
        let versions =
            keys.orders.iter().filter_map(|key| Some((*key, self.rows.get(key)?.version)));
        let mut notifications = KnownNotifications::new();
        let stored = self.notifications.values().filter(|_| !keys.references.is_empty());
        for StoredNotification { row, .. } in stored {
            let name = (row.provider, row.reference.clone());
            if keys.references.contains(&name) {
                notifications.entry(name).or_default().insert(row.event_key);
            }
        }
        PaymentRows { versions: versions.collect(), notifications }
    }

    fn write(&mut self, writes: &PaymentWrites, _at: Timestamp) {
        for PaymentWrite { expected, row } in &writes.payments {
            let found = self.rows.insert(row.order_id, row.clone()).map_or(0, |row| row.version);
            assert_eq!(found, *expected, "what is written was decided on the row that was there");
        }
        for stored in &writes.notifications.fresh {
            let found = self.notifications.insert(stored.row.id, stored.clone());
            assert!(found.is_none(), "the ids of notifications are new");
        }
        for repeated in &writes.notifications.repeated {
            let known = self.notifications.values_mut().map(|stored| &mut stored.row).find(|row| {
                row.event_key == repeated.event_key
                    && (row.provider, &row.reference) == (repeated.provider, &repeated.reference)
            });
            known.into_iter().for_each(|row| row.times += repeated.times);
        }
    }
}

#[async_trait]
impl PaymentReads for MemoryStore<PaymentTables> {
    async fn payment(&self, order_id: OrderId) -> Result<Option<PaymentRow>, ReadError> {
        Ok(self.with(|tables| tables.rows.get(&order_id).cloned()))
    }

    async fn due(
        &self,
        before: Timestamp,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderId>, ReadError> {
        Ok(self.with(|tables| {
            let due = tables.rows.values().filter(|row| {
                row.due_at().is_some_and(|due_at| due_at <= before)
                    && after.is_none_or(|after| row.order_id > after)
            });
            due.take(limit as usize).map(|row| row.order_id).collect()
        }))
    }
    async fn needing_attention(
        &self,
        attention: Option<Attention>,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<PaymentRow>, ReadError> {
        Ok(self.with(|tables| {
            let rows = tables.rows.values().filter(|row| {
                row.attention().is_some_and(|found| attention.is_none_or(|wanted| wanted == found))
                    && after.is_none_or(|after| row.order_id > after)
            });
            rows.take(limit as usize).cloned().collect()
        }))
    }

    async fn attention_counts(&self) -> Result<Vec<(Attention, u64)>, ReadError> {
        Ok(self.with(|tables| {
            let mut counts = BTreeMap::new();
            for attention in tables.rows.values().filter_map(PaymentRow::attention) {
                *counts.entry(attention).or_default() += 1;
            }
            counts.into_iter().collect()
        }))
    }
}

#[async_trait]
impl NotificationLog for MemoryStore<PaymentTables> {
    async fn notifications(
        &self,
        order_id: Option<OrderId>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<NotificationRow>, ReadError> {
        Ok(self.with(|tables| {
            let rows = tables.notifications.values().rev().map(|stored| &stored.row);
            let rows = rows.filter(|row| {
                row.order_id == order_id && before.is_none_or(|before| row.id < before)
            });
            rows.take(limit as usize).cloned().collect()
        }))
    }

    async fn notification(&self, id: Uuid) -> Result<Option<StoredNotification>, ReadError> {
        Ok(self.with(|tables| tables.notifications.get(&id).cloned()))
    }

    async fn forget_notifications(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        Ok(self.with_mut(|tables| {
            let rows = tables.notifications.values().map(|stored| &stored.row);
            let old = rows.filter(|row| row.received_at < before);
            let mut old: Vec<_> = old.map(|row| (row.received_at, row.id)).collect();
            old.sort_unstable();
            old.truncate(limit as usize);
            old.iter().for_each(|(_, id)| drop(tables.notifications.remove(id)));
            old.len() as u64
        }))
    }
}
