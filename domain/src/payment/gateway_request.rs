//! A request to a gateway, and why there may be no answer.

use super::gateway_payment::{GatewayKey, PartKey, Reference};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::money::Money;
use std::time::Duration;
use thiserror::Error;

/// The payment that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its key.
    pub key: GatewayKey,
    /// The order that it pays.
    pub order_id: OrderId,
    /// How much is to be paid.
    pub due: Money,
    /// The method that the order names.
    pub method: String,
    /// What is known of the gateway's identifiers.
    pub reference: Reference,
    /// When the page ends that was asked for last. None: none was.
    pub page_ends_at: Option<Timestamp>,
}

/// A request to a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRequest {
    /// Which payment.
    pub subject: Subject,
    /// What is asked.
    pub operation: Operation,
}

/// What is asked of a gateway. Each may be asked any number of times, at once, by several processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Have the customer pay: by a page, or at once where the method needs no customer. Moves no money by being
    /// repeated; a second page replaces the first, or is the first with a new end where a gateway keeps one page.
    Create(Terms),
    /// Look, and change nothing.
    Retrieve,
    /// Capture a part of what is held, once a part.
    Capture(PaymentPart),
    /// See to it that no more money comes: the page is closed, what is pending or held is released. What was captured
    /// stays.
    Cancel,
    /// Give back a part of what was captured, once a part.
    Refund(PaymentPart),
    /// Accept or deny what is in review.
    Review(Ruling),
}

impl Operation {
    /// The name, for logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Retrieve => "retrieve",
            Self::Capture(_) => "capture",
            Self::Cancel => "cancel",
            Self::Refund(_) => "refund",
            Self::Review(_) => "review",
        }
    }
}

/// The terms of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When it is asked for.
    pub at: Timestamp,
    /// When the page ends.
    pub expires_at: Timestamp,
    /// True when only methods may be offered that can be refunded by API: the stock may be sold out after paying.
    pub refundable_only: bool,
}

/// A part of a payment that is captured or given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentPart {
    /// Its key.
    pub key: PartKey,
    /// How much.
    pub amount: Money,
    /// When it was asked for first: a gateway may forget keys.
    pub asked_at: Timestamp,
    /// For the gateway's books.
    pub reason: String,
}

/// A person's word on a payment in review.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// The money counts.
    Accept,
    /// The money is released.
    Deny,
}

/// Why a request has no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum GatewayError {
    /// Surely not done: there was no connection, or the request was not sent.
    #[error("the gateway cannot be reached: {0}")]
    Unreachable(String),
    /// Maybe done: a timeout, a reset, its own error, an answer that cannot be read.
    #[error("the outcome at the gateway is unknown: {0}")]
    Unknown(String),
    /// Not now.
    #[error("the gateway is busy")]
    Busy {
        /// Ask again after this.
        after: Duration,
    },
    /// Understood and not done, for good in this form.
    #[error("the gateway rejected the request with {code}: {text}")]
    Rejected {
        /// The gateway's code.
        code: String,
        /// Its text.
        text: String,
    },
    /// The payment's method cannot do that: a bank transfer cannot be refunded by API.
    #[error("the gateway does not support this for the payment's method")]
    NotSupported,
    /// Our keys are wrong: nothing can be asked of this gateway, whatever the payment.
    #[error("the gateway does not accept our credentials: {0}")]
    Misconfigured(String),
    /// An answer that cannot be true: another order, another currency, amounts that do not add up.
    #[error("the gateway's answer is not valid: {0}")]
    Invalid(String),
}
