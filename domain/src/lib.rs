//! Ordermill's rules: what is decided, and the values that it is decided on.
//!
//! ```text
//! state, input, time ──▶ decide ──▶ changes, messages          (memory: a saga, a payment)
//! locked rows, changes ──▶ decide_batch ──▶ rows, messages      (transaction: stock, parcels, …)
//! ```
//!
//! Everything here is pure. The crate's `Cargo.toml` keeps it so: there is no tokio, no ractor, nothing asynchronous, no
//! SQL, no AMQP, no HTTP. Time and identity come from [`clock`].

#![forbid(unsafe_code)]

pub mod access;
pub mod audit;
pub mod backoff;
pub mod clock;
pub mod expected;
pub mod failures;
pub mod gateway;
pub mod ids;
pub mod inventory;
pub mod messages;
pub mod money;
pub mod notification;
pub mod order;
pub mod outbox;
pub mod payment;
pub mod planted;
pub mod reconciliation;
pub mod service;
pub mod shipping;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use serde::{Deserialize, Serialize};
use std::fmt;
use strum::{IntoStaticStr, VariantArray};

/// The services. Each has a module of its name here, in `ordermill-actors` and in every store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ServiceName {
    /// Takes orders and runs their sagas.
    Order,
    /// Holds stock and reservations.
    Inventory,
    /// Talks to the payment gateway.
    Payment,
    /// Schedules and dispatches parcels.
    Shipping,
    /// Tells customers.
    Notification,
    /// Keeps every event.
    Audit,
}

impl ServiceName {
    /// Every service, in the order in which an order meets them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The service's name in queues, logs and paths.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
