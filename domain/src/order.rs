//! The rules of an order: what is known of it, what follows, and what it is called.
//!
//! ```text
//! place ─┐                            ┌─▶ commands: reserve, pay, ship, and their undoing
//! reply ─┼─▶ saga: facts ─▶ advance ──┼─▶ history: every status, with its time and cause
//! cancel ┤                            └─▶ events for audit and customers
//! due ───┘
//! ```
//!
//! The steps are one table ([`steps`]). The known facts of an order accumulate ([`facts`]), and how far each step is
//! follows from them ([`step_state`]). What an order does next ([`advance`]) and what it is called ([`derived_status`])
//! are derived from both, so that any order of arrival ends the same. In the choreographed flow the services react to
//! each other and the saga only follows ([`choreography`]).

pub mod advance;
pub mod answer;
pub mod awaited;
pub mod choreography;
pub mod deadlines;
pub mod decide;
pub mod decide_payment_news;
pub mod decision;
pub mod derived_status;
pub mod fact_messages;
pub mod facts;
pub mod payment_news;
pub mod payment_view;
pub mod policy;
pub mod record;
pub mod republish;
pub mod saga;
pub mod service;
pub mod status;
pub mod step_state;
pub mod steps;

pub use policy::SagaPolicy;
pub use saga::{HistoryRow, Saga, SagaCount};
pub use service::{Claim, Order};
pub use status::{OrderStatus, SagaStatus};
pub use steps::{SagaStep, Step};
