//! The gateway's ledger in memory.

use super::reads::{GatewayReads, Totals};
use crate::ports::ReadError;
use crate::testing::{MemoryStore, MemoryTables};
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::gateway::{Entry, GatewayWrites, SimulatedGateway};
use ordermill_domain::payment::GatewayKey;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The table.
#[derive(Default)]
pub struct GatewayTables {
    entries: BTreeMap<GatewayKey, Entry>,
}

impl GatewayTables {
    /// Every entry, whoever's it is.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
}

impl MemoryTables<SimulatedGateway> for GatewayTables {
    fn load(&self, keys: &Vec<GatewayKey>) -> HashMap<GatewayKey, Entry> {
        keys.iter().filter_map(|key| Some((*key, self.entries.get(key)?.clone()))).collect()
    }

    fn write(&mut self, writes: &GatewayWrites, _at: Timestamp) {
        for entry in &writes.inserted {
            let earlier = self.entries.insert(entry.key, entry.clone());
            assert!(earlier.is_none(), "a key is inserted once: {entry:?}");
        }
        for entry in &writes.updated {
            let earlier = self.entries.insert(entry.key, entry.clone());
            assert!(earlier.is_some(), "a key is there before it is updated: {entry:?}");
        }
    }
}

#[async_trait]
impl GatewayReads for MemoryStore<GatewayTables> {
    async fn entry(&self, key: GatewayKey) -> Result<Option<Entry>, ReadError> {
        Ok(self.with(|tables| tables.entries.get(&key).cloned()))
    }

    async fn totals(&self) -> Result<Totals, ReadError> {
        Ok(self.with(|tables| {
            let mut totals = Totals::default();
            let mut orders = BTreeSet::new();
            for entry in tables.entries.values() {
                let Some(booking) = entry.booking.as_ref().filter(|_| entry.is_captured()) else {
                    continue;
                };
                let sums = totals.sums.entry(booking.amount.currency).or_default();
                sums.captured_minor += entry.captured_minor;
                sums.refunded_minor += entry.refunded_minor;
                totals.captures += 1;
                orders.insert(booking.order_id);
            }
            totals.orders = orders.len() as u64;
            totals
        }))
    }
}
