//! What is read of shipments, outside of their own transactions.

use super::shipment::Shipment;
use crate::ids::OrderId;
use crate::ports::ReadError;
use async_trait::async_trait;

/// Reads committed shipments.
#[async_trait]
pub trait ShipmentReads: Send + Sync + 'static {
    /// An order's shipment. None: no command has come for it yet.
    async fn shipment(&self, order: OrderId) -> Result<Option<Shipment>, ReadError>;
}
