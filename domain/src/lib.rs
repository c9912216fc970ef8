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
