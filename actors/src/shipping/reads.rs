//! Reads of shipments, outside of their own transactions.

use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::ids::OrderId;
use ordermill_domain::shipping::Shipment;

/// Reads committed shipments.
#[async_trait]
pub trait ShipmentReads: Send + Sync + 'static {
    /// An order's shipment. None: no command has come for it yet.
    async fn shipment(&self, order: OrderId) -> Result<Option<Shipment>, ReadError>;
}
