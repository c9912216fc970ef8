//! The payment of an order as the order service knows it.
//!
//! The answers of the payment's step say whether money was taken, refused or given back; the payment service's news say
//! the rest, if there is any. Both are heard in any order, so that either may be the newer one.

use super::payment_news::{KnownRefund, PaymentNews};
use super::saga::Saga;
use super::steps::Step;
use crate::clock::Timestamp;
use crate::messages::PaymentUpdated;
use crate::money::Money;
use crate::payment::{Attention, Page, PaymentStatus, PaymentTry, Provider};

/// The payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPayment<'a> {
    /// Where it stands.
    pub status: PaymentStatus,
    /// The gateway. None: the payment service, which chooses it, has not been heard yet.
    pub provider: Option<Provider>,
    /// The method.
    pub method: &'a str,
    /// How much is to be paid.
    pub amount: Money,
    /// The page, while the order can be paid there.
    pub page: Option<&'a Page>,
    /// How much was captured.
    pub captured: Money,
    /// How much was given back.
    pub refunded: Money,
    /// The customer's latest try at the page.
    pub last_try: Option<&'a PaymentTry>,
    /// Until when what is authorised can be captured.
    pub capture_before: Option<Timestamp>,
    /// What was given back while the order went on.
    pub refunds: &'a [KnownRefund],
    /// What a person should know or do.
    pub attention: Option<Attention>,
    /// The gateway's identifier of the capture.
    pub transaction_id: Option<&'a str>,
}

impl Saga {
    /// The payment, as it is known now.
    pub fn payment(&self, now: Timestamp) -> OrderPayment<'_> {
        let (facts, details) = (&self.facts, &self.details);
        let news = facts.payment_news.as_deref();
        let summary = news.and_then(|news| Some(&news.summary.as_ref()?.update));
        let answered = answered_status(self);
        let current = summary.filter(|update| !is_older(update.status, answered));
        let money = |minor| Money { minor, currency: details.currency };
        let (captured, refunded) = amounts(self, current, answered, news);
        OrderPayment {
            status: current.map_or(answered, |update| update.status),
            provider: provider(self, summary),
            method: summary.map_or(&details.payment_method, |update| &update.method),
            amount: details.total(),
            page: facts.open_page().map(|known| &known.page).filter(|page| page.expires_at > now),
            captured: money(captured),
            refunded: money(refunded),
            last_try: summary.and_then(|update| update.last_try.as_ref()),
            capture_before: summary.and_then(|update| update.capture_before),
            refunds: news.map_or(&[], |news| &news.refunds),
            attention: news.and_then(PaymentNews::attention),
            transaction_id: facts.payment().map(|paid| paid.transaction_id.as_str()),
        }
    }

    /// True while a page may still be told: the payment is not decided, and the order has not ended.
    pub fn may_get_page(&self) -> bool {
        let payment = self.facts.step(Step::Payment);
        let is_decided = payment.is_done() || payment.is_refused() || payment.is_undone();
        let summary = self.facts.payment_news.as_ref().and_then(|news| news.summary.as_ref());
        let is_open = summary.is_none_or(|known| waits(known.update.status));
        !self.facts.is_failing() && !is_decided && is_open
    }
}

/// The status by the answers of the step alone.
fn answered_status(saga: &Saga) -> PaymentStatus {
    let (facts, payment) = (&saga.facts, saga.facts.step(Step::Payment));
    match () {
        () if payment.is_undone() => PaymentStatus::Reversed,
        () if payment.is_refused() => PaymentStatus::Failed,
        () if payment.is_undo_sent() => PaymentStatus::Reversing,
        () if payment.is_done() => PaymentStatus::Approved,
        // It was never asked for, and never will be.
        () if facts.is_failing() && !payment.is_sent() => PaymentStatus::Reversed,
        () => PaymentStatus::Pending,
    }
}

/// The gateway, once it is known: of the simulated one alone there may be no news beside the answers of the step.
fn provider(saga: &Saga, summary: Option<&PaymentUpdated>) -> Option<Provider> {
    let is_answered = saga.facts.payment().is_some() || saga.facts.step(Step::Payment).is_refused();
    let told = summary.map(|update| update.provider);
    told.or_else(|| is_answered.then_some(Provider::Simulated))
}

/// True while the customer, or someone at the gateway, has to act.
const fn waits(status: PaymentStatus) -> bool {
    matches!(
        status,
        PaymentStatus::Pending | PaymentStatus::AwaitingCustomer | PaymentStatus::InReview
    )
}

/// True of a status that was told before the step was answered as it is.
const fn is_older(told: PaymentStatus, answered: PaymentStatus) -> bool {
    use PaymentStatus as Status;
    match answered {
        Status::Reversed | Status::Reversing => {
            waits(told) || matches!(told, Status::Authorized | Status::Approved)
        }
        Status::Approved | Status::Failed => waits(told) || matches!(told, Status::Authorized),
        _ => false,
    }
}

/// Captured and given back, in minor units.
fn amounts(
    saga: &Saga,
    current: Option<&PaymentUpdated>,
    answered: PaymentStatus,
    news: Option<&PaymentNews>,
) -> (i64, i64) {
    let paid = saga.facts.payment().map_or(0, |paid| paid.total.minor);
    let known = news.map_or(0, PaymentNews::refunded_minor);
    match current {
        Some(update) => (update.captured_minor.max(paid), known),
        None if answered == PaymentStatus::Reversed => (paid, paid),
        None => (paid, known),
    }
}
