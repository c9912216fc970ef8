//! Reads of payments, outside of their own transactions.

use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::PaymentRow;

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
