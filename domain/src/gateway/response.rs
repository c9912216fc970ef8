//! What the gateway answers, and what it tells by itself.

use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::payment::{GatewayError, GatewayPayment};
use std::time::Duration;

/// The outcome of a change, as its caller is to see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayResponse {
    /// The answer.
    pub answer: LedgerAnswer,
    /// How long the answer is held back.
    pub delay: Duration,
    /// What the payment service is to be told.
    pub notification: Option<LedgerNotification>,
    /// When money arrives that nobody asks for: the ledger books it with the first change from then on.
    pub late_at: Option<Timestamp>,
}

impl GatewayResponse {
    /// An answer that is given at once.
    pub(super) fn now(answer: LedgerAnswer) -> Self {
        Self { answer, delay: Duration::ZERO, notification: None, late_at: None }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerAnswer {
    /// To a request.
    Asked(Result<Box<GatewayPayment>, GatewayError>),
    /// None: the caller is left to wait.
    Silence,
    /// To a customer.
    Visited(VisitOutcome),
}

/// What is told of a payment without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerNotification {
    /// The order.
    pub order_id: OrderId,
    /// How much was captured, in minor units; 0: a try was denied, or is pending.
    pub claimed_minor: i64,
}

/// What a customer does at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// Pays.
    Pay,
    /// Tries to pay, and the bank denies it. The page stays open.
    Decline,
    /// Chooses how to pay, and does not pay yet. The page stays open.
    Choose,
    /// Leaves, and may come back.
    Leave,
}

/// What became of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitOutcome {
    /// It is paid.
    Paid,
    /// The try was denied; another is possible.
    Denied,
    /// A try is pending: it can still be paid, or denied.
    Chosen,
    /// Nothing happened; the page is still open.
    Abandoned,
    /// It had been paid before.
    PaidBefore,
    /// The page has ended, or was cancelled: nothing can be paid.
    Closed,
    /// There is no page under the key.
    NoPage,
}
