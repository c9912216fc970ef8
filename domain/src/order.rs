//! The rules of an order: what is known of it, what follows, and what it is called.
//!
//! ```text
//! place ─┐                            ┌─▶ commands: reserve, pay, ship, and their undoing
//! reply ─┼─▶ saga: facts ─▶ advance ──┼─▶ history: every status, with its time and cause
//! cancel ┤                            └─▶ events for audit and customers
//! due ───┘
//! ```
//!
//! What an order has is a set of facts ([`facts`]); what it does next ([`advance`]) and what it is
//! called ([`derived_status`]) are derived from them, so that any order of arrival ends the same. In the
//! choreographed flow the services react to each other and the saga only follows ([`choreography`]).

pub mod advance;
pub mod choreography;
pub mod deadlines;
pub mod decide;
pub mod decision;
pub mod derived_status;
pub mod fact_messages;
pub mod facts;
pub mod record;
pub mod republish;
pub mod saga;
pub mod service;
pub mod status;
pub mod steps;

pub use saga::{HistoryRow, Saga, SagaPolicy};
pub use service::{Claim, Order};
pub use status::{OrderStatus, SagaStatus, SagaStep};
