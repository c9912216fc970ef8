//! Ordermill's actors: entities and handlers that decide, journals that commit, relays that publish, and the ports
//! to databases, brokers and the gateway. The rules that decisions follow are in `ordermill-domain`.
//!
//! ```text
//! queue ──▶ consumer ──▶ entity ──▶ journal ──▶ relay ──▶ exchange
//!           decode,      decide      commit      publish with confirms,
//!           route        in memory   in groups   then forget the outbox row
//! ```
//!
//! Invariant of absence: this crate knows no SQL, no AMQP and no HTTP; its `Cargo.toml` lacks them.
//! Everything outside is a trait in [`ports`].

#![forbid(unsafe_code)]

pub mod access;
pub mod audit;
pub mod broker;
pub mod faults;
pub mod gateway;
pub mod inventory;
pub mod metrics;
pub mod notification;
pub mod order;
pub mod payment;
pub mod ports;
pub mod reconciliation;
pub mod registry;
pub mod runtime;
pub mod shipping;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod traces;
