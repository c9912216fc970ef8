//! The order service: takes orders and sees each of them through, as one saga actor each.
//!
//! ```text
//! place ─┐                      ┌─▶ commands: reserve, pay, ship, and their undoing
//! reply ─┼─▶ saga: its rules ───┼─▶ history: every status, with its time and cause
//! cancel ┤   (`SagaRules`)      └─▶ events for audit and customers
//! due ───┘
//! ```
//!
//! The rules of a saga are in `ordermill_domain::order`.

pub mod handle;
pub mod handler;
mod measured;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod reads;
pub mod retention;
pub mod rules;
pub mod sweeper;
mod wiring;

pub use handle::{AskError, Asked, Orders, Placed, RequestContext};
pub use reads::{DueOrders, OrderFilter, OrderReads, UnreadableOrder};
pub use rules::{CAUSES, SagaRules, Sagas};
pub use wiring::{OrderSettings, wire};
