//! Reads of payments, outside of their own transactions.

use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{Attention, NotificationRow, PaymentRow, StoredNotification};
use uuid::Uuid;

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

    /// The payments that need a person's attention, for this reason or for any, in the order of their keys: those
    /// after `after`, `limit` at most.
    async fn needing_attention(
        &self,
        attention: Option<Attention>,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<PaymentRow>, ReadError>;

    /// How many payments need a person's attention, by the reason; one that none has is left out.
    async fn attention_counts(&self) -> Result<Vec<(Attention, u64)>, ReadError>;
}

/// Reads the stored notifications of gateways, and forgets the old ones.
#[async_trait]
pub trait NotificationLog: Send + Sync + 'static {
    /// The notifications of an order's payment, or those of no payment that was known, newest first: those before
    /// `before`, `limit` at most.
    async fn notifications(
        &self,
        order_id: Option<OrderId>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<NotificationRow>, ReadError>;

    /// A notification with its body.
    async fn notification(&self, id: Uuid) -> Result<Option<StoredNotification>, ReadError>;

    /// Deletes notifications that came before this, the oldest first, `limit` at most; says how many they were.
    async fn forget_notifications(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError>;
}
