//! The rules of a payment: an order's money is taken once, or given back.
//!
//! ```text
//! command, answer, notification, request ──decide──▶ the payment as it becomes, messages, what to ask next
//! ```
//!
//! - The intent is committed before the gateway hears of it, under one key for the payment's whole life.
//! - Every request has the same kind of answer: all that the gateway has of the payment. One function takes it in,
//!   whatever was asked ([`decide()`], `answer.rs`).
//! - A notification decides nothing: it makes the payment look at once.
//! - Money is believed however late it comes; an end only from a request that was made since.
//! - A gateway that does not answer leaves the outcome unknown, and it is asked again until it answers.
//! - `payment.reversed` is told only once the gateway holds no money and can take none.

mod abilities;
mod accepted;
mod answer;
mod attention;
mod decide;
mod decision;
mod failed;
mod from_message;
mod gateway_payment;
mod gateway_request;
mod input;
mod learn;
mod methods;
mod news;
mod next_look;
mod notification;
mod notified;
mod policy;
mod provider;
mod refund_amount;
mod request;
mod requested;
mod requests;
mod service;
mod state;
mod status;
mod stored_notifications;
#[cfg(test)]
mod tests;
mod undo;
mod view;

pub use abilities::{Abilities, RefundAbility};
pub use accepted::AcceptedPayments;
pub use attention::Attention;
pub use decide::decide;
pub use decision::{Effect, PaymentDecision};
pub use from_message::input;
pub use gateway_payment::{
    GatewayKey, GatewayPayment, GatewayRefund, Page, PartKey, PaymentTry, Reference, RefundProgress,
};
pub use gateway_request::{
    GatewayError, GatewayRequest, Operation, PaymentPart, Ruling, Subject, Terms,
};
pub use input::{GatewayAnswer, PaymentInput};
pub use methods::{DEFAULT_METHODS, PaymentMethods};
pub use notification::{
    EventKey, NOTIFICATION_BODY_MAX, Notification, NotificationError, NotificationReader,
    ReceivedNotification,
};
pub use policy::{Now, PaymentPolicy};
pub use provider::{GatewayRoutes, Provider, RoutesError};
pub use requests::{
    PaymentReply, PaymentRequest, REFUNDS_MAX, Refund, RefundRequest, RefundStatus, RefundWhat,
    RequestRefused,
};
pub use service::{
    PaymentChange, PaymentKeys, PaymentRow, PaymentRows, PaymentService, PaymentWrite,
    PaymentWrites,
};
pub use state::{Asking, End, Known, Looks, Payment, Published, State};
pub use status::PaymentStatus;
pub use stored_notifications::{
    GatewayReference, KnownNotifications, NOTIFICATIONS_MAX, NotificationOutcome, NotificationRow,
    NotificationWrites, RepeatedNotification, StoredNotification,
};
pub use view::PaymentView;
