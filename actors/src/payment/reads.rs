//! What is read of payments, outside of their own transactions.

use super::service::PaymentRow;
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::ports::ReadError;
use async_trait::async_trait;

/// Reads committed payments.
#[async_trait]
pub trait PaymentReads: Send + Sync + 'static {
    /// An order's payment. None: no command has come for it yet.
    async fn payment(&self, order_id: OrderId) -> Result<Option<PaymentRow>, ReadError>;

    /// The payments that somebody must see to by `before`, in the order of their keys: those after
    /// `after`, `limit` at most.
    async fn due(
        &self,
        before: Timestamp,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderId>, ReadError>;
}
