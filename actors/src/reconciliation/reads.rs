//! How the records are read in bulk: by order, a span at a time.

use super::records::ProductRecord;
use crate::ids::{OrderId, ProductId};
use crate::ports::ReadError;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Orders that lie next to each other, in the order of their ids, which is the order in which they were placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Orders after this one,
    pub after: OrderId,
    /// up to this one and with it,
    pub until: OrderId,
    /// so many at the most.
    pub limit: u32,
}

impl Span {
    /// Every order, so many at a time.
    pub const fn all(limit: u32) -> Self {
        Self { after: OrderId(Uuid::nil()), until: OrderId(Uuid::max()), limit }
    }

    /// True when an order lies in it.
    pub fn covers(&self, order: OrderId) -> bool {
        self.after < order && order <= self.until
    }
}

/// What a service says of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record<T> {
    /// The order.
    pub order_id: OrderId,
    /// What it says; or why what is stored cannot be read.
    pub says: Result<T, String>,
}

/// Reads what a service says of many orders.
#[async_trait]
pub trait OrderRecords<T>: Send + Sync + 'static {
    /// What it says of the orders of a span that it has heard of, by order; one record an order.
    async fn records(&self, span: Span) -> Result<Vec<Record<T>>, ReadError>;
}

/// Reads what the inventory service says of products.
#[async_trait]
pub trait ProductRecords: Send + Sync + 'static {
    /// What it says of the products after one of them, by their ids, `limit` at most. Stock and reservations of
    /// an answer are of the same moment.
    async fn products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRecord>, ReadError>;
}
