//! The broker over RabbitMQ.
//!
//! ```text
//! RabbitBroker ─┬─ publishing connection ─┬─ publisher            publish, confirm, again when lost
//!               │                         ├─ copies              retries, dead letters, RPC replies
//!               │                         └─ questions           RPC, answered to this channel
//!               └─ consuming connection ──┬─ a channel a queue   deliver, ack
//!                                         ├─ a channel a .dlq    into the service's dead letters
//!                                         └─ probe               how full are the queues
//! ```
//!
//! There are two connections because RabbitMQ stops reading from connections that publish when it is short
//! of memory or disk, and consuming must go on: it is what makes room.
//!
//! Each connection has an owner (`link.rs`) that opens it, declares the topology on it, and opens it
//! again when it is lost. Nothing recovers a connection in place: whatever used it notices its end,
//! waits for the next, and begins anew: what is unconfirmed is published again, what is unacked comes
//! again. So a message may come twice; none is lost.

#![forbid(unsafe_code)]

mod acks;
mod address;
mod broker;
mod consumer;
mod critical_tasks;
mod delivery_guard;
mod error;
mod link;
mod probe;
mod publisher;
mod rpc;
mod topology;
mod wire;

pub use broker::RabbitBroker;
pub use error::BrokerOpenError;
pub use probe::QueueDepth;
pub use topology::{BindingPlan, Claim, ExchangePlan, QueuePlan, bindings, exchanges, queues};
pub use wire::header;
