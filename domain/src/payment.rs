//! The rules of a payment: an order's money is taken once, or given back.
//!
//! The intent is committed before the gateway hears of it, under one key for the payment's whole life.
//! A gateway that does not answer leaves the outcome unknown, and it is asked again until it answers;
//! `payment.reversed` is said only once the gateway holds no money and never will.

mod abilities;
mod accepted;
mod attention;
mod charge;
mod decide;
mod decision;
mod event;
mod from_message;
mod gateway_answer;
mod gateway_payment;
mod gateway_request;
mod input;
mod methods;
mod notification;
mod policy;
mod process;
mod provider;
mod refund;
mod requests;
mod resume;
mod service;
mod state;
#[cfg(test)]
mod tests;
mod view;

pub use abilities::{Abilities, RefundAbility};
pub use accepted::AcceptedPayments;
pub use attention::Attention;
pub use charge::{Charge, ChargeRequest, Holding, OldGatewayError, Undone};
pub use decide::decide;
pub use decision::{Effect, PaymentDecision};
pub use event::{IllegalEvent, PaymentEvent, apply};
pub use from_message::input;
pub use gateway_payment::{
    GatewayKey, GatewayPayment, GatewayRefund, Page, PartKey, PaymentTry, Reference, RefundProgress,
};
pub use gateway_request::{GatewayError, GatewayRequest, Operation, Part, Ruling, Subject, Terms};
pub use input::{GatewayAnswer, GatewayReply, PaymentInput};
pub use methods::{DEFAULT_METHODS, PaymentMethods};
pub use notification::{Notification, NotificationError, NotificationReader};
pub use policy::{Now, PaymentPolicy};
pub use provider::{GatewayRoutes, Provider, RoutesError};
pub use requests::{
    PaymentReply, PaymentRequest, REFUNDS_MAX, Refund, RefundRequest, RefundStatus, RefundWhat,
    RequestRefused,
};
pub use service::{PaymentChange, PaymentRow, PaymentService, PaymentWrite};
pub use state::{GatewayAttempts, Payment, PaymentStatus, Question, State, Undo};
pub use view::PaymentView;
