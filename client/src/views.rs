//! The responses, with the fields that our programs read. Statuses stay text: a newer server may have more of them.

#![expect(missing_docs, reason = "openapi/ordermill.json describes the fields")]

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// An order.
#[derive(Clone, Debug, Deserialize)]
pub struct Order {
    pub order_id: Uuid,
    pub customer_id: String,
    pub flow: String,
    pub status: String,
    pub saga: Saga,
    pub failure: Option<Failure>,
    pub payment: Option<OrderPayment>,
    pub items: Vec<Item>,
    /// The JSON number with all its digits, in the currency of the order.
    pub total_amount: Box<RawValue>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The saga of an order.
#[derive(Clone, Debug, Deserialize)]
pub struct Saga {
    pub status: String,
    pub step: String,
}

/// The payment of an order.
#[derive(Clone, Deserialize)]
pub struct OrderPayment {
    pub status: String,
    /// The gateway, once it is known.
    pub provider: Option<String>,
    pub method: String,
    /// Whoever has this link can open the page where the order is paid. Only in the answer for one order.
    pub payment_url: Option<String>,
    pub expires_at: Option<DateTime<Utc>>,
    pub attention: Option<String>,
}

/// Without the link of the page.
impl fmt::Debug for OrderPayment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, provider, method, payment_url: _, expires_at, attention } = self;
        f.debug_struct("OrderPayment")
            .field("status", status)
            .field("provider", provider)
            .field("method", method)
            .field("expires_at", expires_at)
            .field("attention", attention)
            .finish_non_exhaustive()
    }
}

/// Why an order was cancelled. Displayed as `step: reason`.
#[derive(Clone, Debug, Deserialize)]
pub struct Failure {
    pub step: String,
    pub reason: String,
    #[serde(default)]
    pub shortages: Vec<Shortage>,
}

/// A product with too little stock for an order.
#[derive(Clone, Debug, Deserialize)]
pub struct Shortage {
    pub product_id: String,
    pub requested: i64,
    pub available: Option<i64>,
}

/// A refund of an order.
#[derive(Clone, Debug, Deserialize)]
pub struct Refund {
    pub refund_id: Uuid,
    pub status: String,
    /// The JSON number with all its digits, in `currency`.
    pub amount: Box<RawValue>,
    pub currency: String,
    pub refused: Option<String>,
}

/// A line of an order.
#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    pub product_id: String,
    pub quantity: i64,
}

impl Order {
    /// Whether nothing more happens to it without a request. The saga says so: an order whose cancellation has
    /// begun is still `CONFIRMED`.
    pub fn is_at_rest(&self) -> bool {
        matches!(self.saga.status.as_str(), "COMPLETED" | "COMPENSATED")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.reason)
    }
}

/// The stock of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ProductStock {
    pub available_qty: i64,
    pub reserved_qty: i64,
    pub on_hand: i64,
}

/// The number of messages in a queue.
#[derive(Clone, Debug, Deserialize)]
pub struct Queue {
    pub ready: u64,
    pub unacked: u64,
}

/// The actors of a server.
#[derive(Clone, Debug, Deserialize)]
pub struct Tree {
    pub totals: Totals,
    pub actors: Vec<Actor>,
}

/// The number of actors, independent of filters.
#[derive(Clone, Debug, Deserialize)]
pub struct Totals {
    pub actors: u64,
    pub restarts: u64,
    pub by_kind: BTreeMap<String, u64>,
    pub by_status: BTreeMap<String, u64>,
}

/// An actor and those that it supervises.
#[derive(Clone, Debug, Deserialize)]
pub struct Actor {
    pub kind: String,
    pub name: String,
    pub status: String,
    pub restarts: u64,
    pub last_error: Option<String>,
    pub mailbox: u64,
    pub handled: u64,
    pub uptime_ms: u64,
    /// `children` may list fewer.
    pub children_total: u64,
    pub children: Vec<Actor>,
}

/// Result of redriving the dead letters of a queue.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Redriven {
    pub redriven: u64,
    /// Dead letters that are kept because they are still unreadable.
    pub unreadable: u64,
}

/// Result of discarding the unreadable dead letters of a queue.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Discarded {
    pub discarded: u64,
    /// Dead letters that are kept because they are readable.
    pub readable: u64,
}

/// The records that a server provides for reconciliation, and its lag.
#[derive(Clone, Debug, Deserialize)]
pub struct Overview {
    pub records: Vec<String>,
    pub now: DateTime<Utc>,
    pub lag_ms: u64,
}

/// An API key, without its secret.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Key {
    pub id: String,
    pub role: String,
    /// `active`, `expired` or `revoked`.
    pub status: String,
    pub customer_id: Option<String>,
    pub name: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub revoked_reason: Option<String>,
}

/// A new API key: the only answer with its secret. So it has no `Debug`.
#[derive(Deserialize)]
pub struct CreatedKey {
    pub api_key: String,
}
