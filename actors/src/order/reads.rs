//! Reads of the order service's database outside of its journal.

use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::order::{HistoryRow, OrderStatus, Saga, SagaCount, SagaStatus};

/// Which orders are listed; what is None is not asked.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// Of this customer.
    pub customer_id: Option<String>,
    /// With this status.
    pub status: Option<OrderStatus>,
    /// With this saga status.
    pub saga_status: Option<SagaStatus>,
    /// Placed before this one.
    pub before: Option<OrderId>,
}

impl OrderFilter {
    /// True when only orders that are under way can meet it. Each of them has a time at which it is looked at,
    /// and they are few among all that rest: stores need not look through the others for them.
    pub fn is_of_those_under_way(&self) -> bool {
        let status = self.status.is_some_and(|status| !status.is_at_rest());
        let saga = self.saga_status.is_some_and(|status| match status {
            SagaStatus::InProgress | SagaStatus::Compensating | SagaStatus::Failed => true,
            SagaStatus::Completed | SagaStatus::Compensated => false,
        });
        status || saga
    }
}

/// An order that is stored in a form that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored order {order_id} is unreadable: {cause}")]
pub struct UnreadableOrder {
    /// Which.
    pub order_id: OrderId,
    /// Why.
    pub cause: String,
}

/// Reads of committed orders.
#[async_trait]
pub trait OrderReads: Send + Sync + 'static {
    /// An order.
    async fn order(&self, id: OrderId) -> Result<Option<Saga>, ReadError>;

    /// Orders, newest first, `limit` at most. One that cannot be read stands in its place: the others of
    /// its page are no worse for it.
    async fn orders(
        &self,
        filter: &OrderFilter,
        limit: u32,
    ) -> Result<Vec<Result<Saga, UnreadableOrder>>, ReadError>;

    /// History rows of several orders, by order and sequence: of each those whose sequence is not below
    /// the number given with it. `limit` at most in all.
    async fn history(
        &self,
        since: &[(OrderId, u32)],
        limit: u32,
    ) -> Result<Vec<HistoryRow>, ReadError>;

    /// How many sagas are neither completed nor compensated, by status; a status that none has is left out.
    async fn counts(&self, now: Timestamp) -> Result<Vec<SagaCount>, ReadError>;
}

/// The orders whose time has come.
#[async_trait]
pub trait DueOrders: Send + Sync + 'static {
    /// Claims orders whose `due_at` has passed, the longest overdue first, `limit` at most: one
    /// committed statement moves their `due_at` to `until`, so that nobody else takes them meanwhile.
    /// Their version stays.
    async fn claim(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>, ReadError>;

    /// Forgets some idempotency keys made before a time, `limit` at most: how many.
    async fn forget_claims(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError>;
}
