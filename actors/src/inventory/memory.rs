//! Inventory's tables in memory: the model that the real stores are held against.

use super::{Inventory, InventoryReads, Keys, ReservationRow, Rows, StockRow, Writes};
use crate::clock::Timestamp;
use crate::ids::{OrderId, ProductId};
use crate::ports::ReadError;
use crate::testing::{MemoryStore, MemoryTables};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::ops::Bound;

/// The tables.
#[derive(Debug, Default)]
pub struct InventoryTables {
    /// `stock`
    pub stock: BTreeMap<ProductId, StockRow>,
    /// `reservations`
    pub reservations: BTreeMap<OrderId, ReservationRow>,
}

impl InventoryTables {
    /// The table's CHECK, and that an update finds its row and an insert none.
    fn put_stock(&mut self, row: &StockRow, exists: bool) {
        assert!(0 <= row.reserved && row.reserved <= row.on_hand, "CHECK fails: {row:?}");
        let before = self.stock.insert(row.product_id.clone(), row.clone());
        assert_eq!(before.is_some(), exists, "{row:?}");
    }

    fn put_reservation(&mut self, row: &ReservationRow, exists: bool) {
        let before = self.reservations.insert(row.order_id, row.clone());
        assert_eq!(before.is_some(), exists, "{row:?}");
    }
}

impl MemoryTables<Inventory> for InventoryTables {
    fn load(&self, keys: &Keys) -> Rows {
        let reservations: BTreeMap<_, _> = keys
            .orders
            .iter()
            .filter_map(|order| Some((*order, self.reservations.get(order)?.clone())))
            .collect();
        let products = keys.products_with(reservations.values());
        let stock = products.into_iter().filter_map(|product| {
            let row = self.stock.get(&product)?.clone();
            Some((product, row))
        });
        Rows { stock: stock.collect(), reservations }
    }

    fn write(&mut self, writes: &Writes, _at: Timestamp) {
        writes.new_stock.iter().for_each(|row| self.put_stock(row, false));
        writes.stock.iter().for_each(|row| self.put_stock(row, true));
        writes.new_reservations.iter().for_each(|row| self.put_reservation(row, false));
        writes.reservations.iter().for_each(|row| self.put_reservation(row, true));
    }
}

#[async_trait]
impl InventoryReads for MemoryStore<InventoryTables> {
    async fn stock(&self, product: &ProductId) -> Result<Option<StockRow>, ReadError> {
        Ok(self.with(|tables| tables.stock.get(product).cloned()))
    }

    async fn list(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<StockRow>, ReadError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.with(|tables| {
            let rows = tables.stock.range((from, Bound::Unbounded));
            rows.take(limit as usize).map(|(_, row)| row.clone()).collect()
        }))
    }

    async fn reservation(&self, order: OrderId) -> Result<Option<ReservationRow>, ReadError> {
        Ok(self.with(|tables| tables.reservations.get(&order).cloned()))
    }
}
