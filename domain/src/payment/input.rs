//! The inputs of a payment.

use super::charge::{Charge, OldGatewayError, Undone};
use super::notification::ReceivedNotification;
use super::requests::PaymentRequest;
use crate::messages::{Origin, PaymentProcess};
use std::sync::Arc;

/// An input of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentInput {
    /// Take the money.
    Process(Origin, PaymentProcess),
    /// Give the money back.
    Refund(Origin),
    /// The gateway was asked; this came of it.
    Answered(GatewayAnswer),
    /// The pause after this question is over.
    PauseElapsed(u32),
    /// Whatever was under way may have been lost with a process: do it again.
    Resume,
    /// A gateway says that something has happened: it is asked what.
    Notified(Arc<ReceivedNotification>),
    /// A person asks for something.
    Requested(PaymentRequest),
}

/// The result of a gateway request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayAnswer {
    /// Which question it answers: the payment's `attempts` when it was asked.
    pub attempt: u32,
    /// Its answer.
    pub result: Result<GatewayReply, OldGatewayError>,
}

/// A reply of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayReply {
    /// Of a charge.
    Charge(Charge),
    /// Of a void or a refund.
    Undone(Undone),
}
