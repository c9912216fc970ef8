//! Inventory's tables in memory: the model that the real stores are held against.

use super::InventoryReads;
use crate::ports::ReadError;
use crate::testing::{MemoryStore, MemoryTables};
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{
    AdjustmentRecord, Inventory, Keys, MovementRow, ReservationRow, Rows, StockRow, Writes,
};
use std::collections::BTreeMap;
use std::ops::Bound;

/// The tables.
#[derive(Debug, Default)]
pub struct InventoryTables {
    /// `stock`
    pub stock: BTreeMap<ProductId, StockRow>,
    /// `reservations`
    pub reservations: BTreeMap<OrderId, ReservationRow>,
    /// `movements`, by product and version
    pub movements: BTreeMap<(ProductId, u64), MovementRow>,
    /// `adjustment_keys`, each with the time it was written
    pub adjusted: BTreeMap<String, (AdjustmentRecord, Timestamp)>,
}

impl InventoryTables {
    /// The table's CHECK, and that an update finds its row and an insert none.
    fn put_stock(&mut self, row: &StockRow, exists: bool) {
        assert!(0 <= row.reserved && row.reserved <= row.on_hand, "CHECK fails: {row:?}");
        let before = self.stock.insert(row.product_id.clone(), row.clone());
        assert_eq!(before.is_some(), exists, "{row:?}");
    }

    fn put_movements(&mut self, row: &MovementRow) {
        let key = (row.stock.product_id.clone(), row.stock.version);
        let before = self.movements.insert(key, row.clone());
        assert!(before.is_none(), "a version has one ledger row: {row:?}");
    }

    fn put_adjusted(&mut self, record: &AdjustmentRecord, at: Timestamp) {
        let row = (record.clone(), at);
        let before = self.adjusted.insert(record.key.key.clone(), row);
        assert!(before.is_none(), "a key is written once: {record:?}");
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
        let adjusted = keys.adjustment_keys.iter().filter_map(|key| {
            let (record, _) = self.adjusted.get(key)?;
            Some((key.clone(), record.clone()))
        });
        Rows { stock: stock.collect(), adjusted: adjusted.collect(), reservations }
    }

    fn write(&mut self, writes: &Writes, _at: Timestamp) {
        writes.new_stock.iter().for_each(|row| self.put_stock(row, false));
        writes.stock.iter().for_each(|row| self.put_stock(row, true));
        writes.new_reservations.iter().for_each(|row| self.put_reservation(row, false));
        writes.reservations.iter().for_each(|row| self.put_reservation(row, true));
        writes.movements.iter().for_each(|row| self.put_movements(row));
        writes.adjusted.iter().for_each(|(record, at)| self.put_adjusted(record, *at));
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

    async fn movements(
        &self,
        product: &ProductId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<MovementRow>, ReadError> {
        let from = (product.clone(), 0);
        let to = (product.clone(), before.unwrap_or(u64::MAX));
        Ok(self.with(|tables| {
            let rows = tables.movements.range(from..to).rev();
            rows.take(limit as usize).map(|(_, row)| row.clone()).collect()
        }))
    }

    async fn forget_movements(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        Ok(self.with_mut(|tables| {
            let old = tables.movements.iter().filter(|(_, row)| row.at < before);
            let mut old: Vec<_> = old.map(|(key, row)| (row.at, key.clone())).collect();
            old.sort();
            old.truncate(limit as usize);
            old.iter().for_each(|(_, key)| drop(tables.movements.remove(key)));
            old.len() as u64
        }))
    }

    async fn forget_adjustment_keys(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, ReadError> {
        Ok(self.with_mut(|tables| {
            let old = tables.adjusted.extract_if(.., |_, (_, at)| *at < before);
            old.take(limit as usize).count() as u64
        }))
    }
}
