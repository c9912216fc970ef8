//! The values that payment service and gateway exchange: a key, a charge and its outcome.

use super::gateway_payment::GatewayKey;
use crate::ids::OrderId;
use crate::money::Money;
use thiserror::Error;

/// A charge to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeRequest {
    /// The payment's key.
    pub key: GatewayKey,
    /// The order it pays, for the gateway's ledger.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// How.
    pub method: String,
}

/// The final outcome of a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Charge {
    /// The money is captured.
    Approved {
        /// The gateway's own identifier of the capture.
        transaction_id: String,
        /// How much.
        amount: Money,
    },
    /// Nothing is captured under the key.
    Declined {
        /// A machine-readable word.
        reason: String,
    },
}

/// No money is held under a key any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The refunded amount. None: nothing had been captured.
    pub refunded: Option<Money>,
}

/// The gateway's holding under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Nothing was ever decided under it.
    Unknown,
    /// A charge was decided.
    Charged(Charge),
    /// It is closed: nothing is held and nothing will be.
    Closed,
}

/// Why there is no answer. The outcome is unknown: the same question, under the same key, again.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OldGatewayError {
    /// It took too long.
    #[error("the gateway timed out")]
    Timeout,
    /// It could not be reached, or could not do it for now.
    #[error("the gateway is unavailable: {0}")]
    Unavailable(String),
}
