//! What inventory's database is asked, outside of the journal. Only committed rows are seen.

use super::{ReservationRow, StockRow};
use crate::ids::{OrderId, ProductId};
use crate::ports::ReadError;
use async_trait::async_trait;

/// Reads of the inventory service's own tables.
#[async_trait]
pub trait InventoryReads: Send + Sync + 'static {
    /// A product's stock. None: there is no such product.
    async fn stock(&self, product: &ProductId) -> Result<Option<StockRow>, ReadError>;

    /// Products in the order of their ids: those after `after`, `limit` at the most.
    async fn list(&self, after: Option<&ProductId>, limit: u32)
    -> Result<Vec<StockRow>, ReadError>;

    /// What became of an order's reservation. None: nothing was ever asked for the order.
    async fn reservation(&self, order: OrderId) -> Result<Option<ReservationRow>, ReadError>;
}
