//! The payment service: takes an order's money once, or gives it back.
//!
//! ```text
//! payment.* ─▶ CommandHandler ─▶ payment/<order_id> ─▶ journal ─▶ payment.approved, …
//!                                  ▲           │ (committed)
//!                                  └─ answer ◀─ gateway: charge, void, refund
//! ```
//!
//! The intent is committed before the gateway hears of it, under one key for the payment's whole life.
//! A gateway that does not answer leaves the outcome unknown, and it is asked again until it answers;
//! `payment.reversed` is said only once the gateway holds no money and never will.

mod charge;
mod commands;
mod confirmation;
mod decide;
mod decision;
mod entity;
mod event;
mod gateway_answer;
mod gateway_port;
mod input;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
mod methods;
mod policy;
mod process;
mod reads;
mod refund;
mod resume;
mod service;
mod state;
mod sweeper;
#[cfg(test)]
mod tests;
mod view;

pub use charge::{Charge, ChargeRequest, GatewayError, GatewayKey, Holding, Undone};
pub use commands::{CommandHandler, input};
pub use confirmation::{
    ConfirmationError, ConfirmationServer, PaymentConfirmation, PaymentResponder,
};
pub use decide::decide;
pub use decision::{Effect, PaymentDecision};
pub use entity::{PaymentEffect, PaymentMemory, PaymentRules, Payments};
pub use event::{IllegalEvent, PaymentEvent, apply};
pub use gateway_port::Gateway;
pub use input::{GatewayAnswer, GatewayReply, PaymentInput};
pub use methods::{DEFAULT_METHODS, PaymentMethods};
pub use policy::{Now, PaymentPolicy};
pub use reads::PaymentReads;
pub use service::{PaymentChange, PaymentRow, PaymentService, PaymentWrite};
pub use state::{GatewayAttempts, Payment, PaymentStatus, Question, State, Undo};
pub use sweeper::Sweeper;
pub use view::PaymentView;
