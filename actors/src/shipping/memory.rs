//! Shipments in memory: the model that the real stores are held against.

use super::reads::ShipmentReads;
use crate::ports::ReadError;
use crate::testing::{MemoryStore, MemoryTables};
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::shipping::{Shipment, Shipping, Writes};
use std::collections::{BTreeMap, BTreeSet};

/// The table.
#[derive(Debug, Default)]
pub struct ShippingMemory {
    /// Every row.
    pub shipments: BTreeMap<OrderId, Shipment>,
}

impl MemoryTables<Shipping> for ShippingMemory {
    fn load(&self, keys: &BTreeSet<OrderId>) -> BTreeMap<OrderId, Shipment> {
        keys.iter().filter_map(|key| Some((*key, self.shipments.get(key)?.clone()))).collect()
    }

    fn write(&mut self, writes: &Writes, _at: Timestamp) {
        for shipment in &writes.inserts {
            let taken = self.shipments.insert(shipment.order_id, shipment.clone());
            assert!(taken.is_none(), "an insert finds no row");
        }
        for shipment in &writes.updates {
            let was = self.shipments.insert(shipment.order_id, shipment.clone());
            assert!(was.is_some(), "an update finds its row");
        }
    }
}

#[async_trait]
impl ShipmentReads for MemoryStore<ShippingMemory> {
    async fn shipment(&self, order: OrderId) -> Result<Option<Shipment>, ReadError> {
        Ok(self.with(|tables| tables.shipments.get(&order).cloned()))
    }
}
