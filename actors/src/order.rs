//! The order service: takes orders and sees each of them through, as one saga actor each.
//!
//! ```text
//! place ─┐                            ┌─▶ commands: reserve, pay, ship, and their undoing
//! reply ─┼─▶ saga: facts ─▶ advance ──┼─▶ history: every status, with its time and cause
//! cancel ┤                            └─▶ events for audit and customers
//! due ───┘
//! ```
//!
//! What an order has is a set of facts ([`facts`]); what it does next ([`advance`]) and what it is
//! called ([`status`]) are derived from them, so that any order of arrival ends the same. In the
//! choreographed flow the services react to each other and the saga only follows ([`choreography`]).

pub mod advance;
pub mod choreography;
pub mod deadlines;
pub mod decide;
pub mod fact_messages;
pub mod facts;
pub mod handle;
pub mod handler;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod reads;
pub mod record;
pub mod republish;
pub mod retention;
pub mod rules;
pub mod saga;
pub mod service;
pub mod status;
pub mod sweeper;

pub use handle::{AskError, Asked, Orders, Placed, RequestContext};
pub use reads::{DueOrders, OrderFilter, OrderReads, UnreadableOrder};
pub use rules::{CAUSES, SagaObserver, SagaRules, Sagas};
pub use saga::{HistoryRow, Saga, SagaPolicy};
pub use service::{Claim, Order};
pub use status::{OrderStatus, SagaStatus, SagaStep};
