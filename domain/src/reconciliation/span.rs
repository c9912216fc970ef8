//! Many orders at a time: which ones, and what a service says of each.

use crate::ids::OrderId;
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

/// A service's record of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record<T> {
    /// The order.
    pub order_id: OrderId,
    /// Its content, or why the stored record cannot be read.
    pub says: Result<T, String>,
}
