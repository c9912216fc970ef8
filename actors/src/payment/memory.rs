//! The payment service's table in memory.

use super::reads::PaymentReads;
use crate::ports::ReadError;
use crate::testing::{MemoryStore, MemoryTables};
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{PaymentRow, PaymentService, PaymentWrite};
use std::collections::{BTreeMap, HashMap};

/// The table.
#[derive(Default)]
pub struct PaymentTables {
    rows: BTreeMap<OrderId, PaymentRow>,
}

impl PaymentTables {
    /// Every payment, by order.
    pub fn rows(&self) -> impl Iterator<Item = &PaymentRow> {
        self.rows.values()
    }
}

impl MemoryTables<PaymentService> for PaymentTables {
    fn load(&self, keys: &Vec<OrderId>) -> HashMap<OrderId, u64> {
        keys.iter().filter_map(|key| Some((*key, self.rows.get(key)?.version))).collect()
    }

    fn write(&mut self, writes: &Vec<PaymentWrite>, _at: Timestamp) {
        for PaymentWrite { expected, row } in writes {
            let found = self.rows.insert(row.order_id, row.clone()).map_or(0, |row| row.version);
            assert_eq!(found, *expected, "what is written was decided on the row that was there");
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
}
