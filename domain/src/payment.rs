//! The rules of a payment: an order's money is taken once, or given back.
//!
//! The intent is committed before the gateway hears of it, under one key for the payment's whole life.
//! A gateway that does not answer leaves the outcome unknown, and it is asked again until it answers;
//! `payment.reversed` is said only once the gateway holds no money and never will.

mod charge;
mod decide;
mod decision;
mod event;
mod from_message;
mod gateway_answer;
mod input;
mod methods;
mod policy;
mod process;
mod refund;
mod resume;
mod service;
mod state;
#[cfg(test)]
mod tests;
mod view;

pub use charge::{Charge, ChargeRequest, GatewayError, GatewayKey, Holding, Undone};
pub use decide::decide;
pub use decision::{Effect, PaymentDecision};
pub use event::{IllegalEvent, PaymentEvent, apply};
pub use from_message::input;
pub use input::{GatewayAnswer, GatewayReply, PaymentInput};
pub use methods::{DEFAULT_METHODS, PaymentMethods};
pub use policy::{Now, PaymentPolicy};
pub use service::{PaymentChange, PaymentRow, PaymentService, PaymentWrite};
pub use state::{GatewayAttempts, Payment, PaymentStatus, Question, State, Undo};
pub use view::PaymentView;
