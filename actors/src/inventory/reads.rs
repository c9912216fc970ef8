//! Reads of inventory's database, outside of the journal. Only committed rows are seen.

use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{MovementRow, ReservationRow, StockRow};

/// Reads of the inventory service's own tables.
#[async_trait]
pub trait InventoryReads: Send + Sync + 'static {
    /// A product's stock. None: there is no such product.
    async fn stock(&self, product: &ProductId) -> Result<Option<StockRow>, ReadError>;

    /// Products in the order of their ids: those after `after`, `limit` at the most.
    async fn list(&self, after: Option<&ProductId>, limit: u32)
    -> Result<Vec<StockRow>, ReadError>;

    /// An order's reservation. None: none was ever requested.
    async fn reservation(&self, order: OrderId) -> Result<Option<ReservationRow>, ReadError>;

    /// The product's ledger, newest row first: rows of versions below `before`, `limit` at the most.
    /// As long as a row of a product is kept, every later one is: the first row read without `before`
    /// is that of the stock row as it is.
    async fn movements(
        &self,
        product: &ProductId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<MovementRow>, ReadError>;

    /// Forgets the oldest ledger rows from before this moment, `limit` at the most: how many.
    async fn forget_movements(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError>;

    /// Forgets keys of adjustments from before this moment, `limit` at the most: how many.
    async fn forget_adjustment_keys(&self, before: Timestamp, limit: u32)
    -> Result<u64, ReadError>;
}
