//! The inputs of a payment.

use super::gateway_payment::GatewayPayment;
use super::gateway_request::GatewayError;
use super::notification::ReceivedNotification;
use super::requests::PaymentRequest;
use crate::messages::{Origin, PaymentProcess};
use std::sync::Arc;

/// An input of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentInput {
    /// Take the money.
    Process(Origin, PaymentProcess),
    /// Give the money back, whatever is left of it.
    Undo(Origin),
    /// The gateway was asked; this came of it.
    Answered(GatewayAnswer),
    /// The pause after this request is over.
    PauseElapsed(u32),
    /// It is due: a request may have been lost with a process, or it is time to look.
    Resume,
    /// A gateway says that something has happened: it is asked what.
    Notified(Arc<ReceivedNotification>),
    /// A person asks for something.
    Requested(PaymentRequest),
}

/// What came of a request to the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayAnswer {
    /// The request's number: the payment's `attempts` when it was made.
    pub attempt: u32,
    /// Its answer.
    pub result: Result<GatewayPayment, GatewayError>,
}
