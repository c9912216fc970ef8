//! Decides what the payment service tells beside the answers of its step.

use super::decision::SagaDecision;
use super::facts::{Fact, Facts};
use super::payment_news::{KnownRefund, PaymentFact, PaymentPage, PaymentSummary};
use super::saga::Saga;
use super::steps::Step;
use crate::clock::Timestamp;
use crate::messages::{Failure, Kind, Message, Payload, PaymentMessage, PaymentUpdated};
use crate::payment::{Attention, Page, PaymentStatus};
use std::time::Duration;

/// After a page's end, how long the payment service may take to find out what came of it. It asks the gateway 100
/// seconds after the end.
const PAGE_GRACE: Duration = Duration::from_secs(3 * 60);

impl Facts {
    /// The page where the order can be paid, while its payment is asked for and not decided. Whether the page has
    /// expired is for the caller to see.
    pub fn open_page(&self) -> Option<&PaymentPage> {
        let news = self.payment_news.as_ref().filter(|_| awaits_payment(self))?;
        let is_open = news.summary.as_ref().is_none_or(|known| {
            matches!(known.update.status, PaymentStatus::Pending | PaymentStatus::AwaitingCustomer)
        });
        news.page.as_ref().filter(|_| is_open)
    }

    /// The same facts without the link of the page: for everybody but the order's own customer.
    pub fn without_page(&self) -> Self {
        let mut facts = self.clone();
        if let Some(page) = facts.payment_news.as_mut().and_then(|news| news.page.as_mut()) {
            page.page.url.clear();
        }
        facts
    }

    /// When the payment is asked for again at the earliest, while the customer has a page.
    pub(super) fn page_ends_at(&self) -> Option<Timestamp> {
        let news = self.payment_news.as_ref().filter(|_| awaits_payment(self))?;
        news.page.as_ref().map(|known| known.page.expires_at + PAGE_GRACE)
    }
}

/// True while the payment's command is sent and not answered, and the order goes on.
fn awaits_payment(facts: &Facts) -> bool {
    !facts.is_failing() && facts.step(Step::Payment).is_awaited() && !is_undone(facts)
}

fn is_undone(facts: &Facts) -> bool {
    facts.step(Step::Payment).is_undone()
}

/// True of the events that are told beside the answers of the payment's step.
pub const fn is_news(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::PaymentActionRequired
            | Kind::PaymentUpdated
            | Kind::PaymentRefunded
            | Kind::PaymentLapsed
            | Kind::PaymentAttention
            // For other consumers: `payment.updated` says the same and more.
            | Kind::PaymentStatusUpdated
    )
}

/// Decides news of the payment. None: the message is none.
pub(super) fn decide_news(saga: &Saga, message: &Message) -> Option<SagaDecision> {
    let Payload::Payment(payment) = &message.payload else { return None };
    let (facts, number) = (&saga.facts, message.number);
    let decision = match payment {
        PaymentMessage::ActionRequired(told) => {
            let page = Page { url: told.url.clone(), expires_at: told.expires_at };
            match awaits_payment(facts) {
                true => learned(facts, PaymentFact::Page(PaymentPage { number, page })),
                // The order has ended, or its payment is decided: nobody may pay there any more.
                false => SagaDecision::Known,
            }
        }
        PaymentMessage::Updated(update) => updated(facts, number, update),
        PaymentMessage::Refunded(refunded) => {
            let refund = KnownRefund { number, refunded: refunded.clone() };
            learned(facts, PaymentFact::Refunded(refund))
        }
        PaymentMessage::Lapsed(refusal) => lapsed(facts, &refusal.reason),
        PaymentMessage::Attention(told) => with_alarm(
            facts,
            learned(facts, PaymentFact::Attention(told.attention)),
            told.attention,
        ),
        PaymentMessage::StatusUpdated(_) => SagaDecision::Known,
        PaymentMessage::Process(_)
        | PaymentMessage::Refund
        | PaymentMessage::Approved(_)
        | PaymentMessage::Failed(_)
        | PaymentMessage::Reversed => return None,
    };
    Some(decision)
}

/// A summary: stored if it is newer than the known one. That it needs a person may be heard before
/// `payment.attention`.
fn updated(facts: &Facts, number: u32, update: &PaymentUpdated) -> SagaDecision {
    let summary = PaymentSummary { number, update: update.clone() };
    let decision = learned(facts, PaymentFact::Updated(summary));
    match update.attention {
        Some(attention) => with_alarm(facts, decision, attention),
        None => decision,
    }
}

/// The news, and that the saga is `FAILED` if nothing goes on without a person. What is no news is no alarm: the matter
/// may be closed since.
fn with_alarm(facts: &Facts, mut decision: SagaDecision, attention: Attention) -> SagaDecision {
    let is_known = facts.stuck.as_deref() == Some(attention.as_str());
    if let SagaDecision::Learned(news) = &mut decision
        && attention.needs_person()
        && !is_known
    {
        news.push(Fact::Stuck { reason: attention.as_str().to_owned() });
    }
    decision
}

/// The money is gone again. Before the dispatch is requested the order is undone; after it a person has to see to it.
fn lapsed(facts: &Facts, reason: &str) -> SagaDecision {
    if facts.is_failing() {
        return SagaDecision::Known;
    }
    if facts.step(Step::Dispatch).is_started() {
        return stuck(facts, reason);
    }
    let step = Step::Payment.as_str().to_owned();
    let failure = Failure { step, reason: reason.to_owned(), shortages: Vec::new() };
    SagaDecision::Learned(vec![Fact::CancelAsked { failure }])
}

fn stuck(facts: &Facts, reason: &str) -> SagaDecision {
    if facts.stuck.as_deref() == Some(reason) {
        return SagaDecision::Known;
    }
    SagaDecision::Learned(vec![Fact::Stuck { reason: reason.to_owned() }])
}

fn learned(facts: &Facts, fact: PaymentFact) -> SagaDecision {
    let is_new = match &facts.payment_news {
        Some(news) => news.is_new(&fact),
        None => true,
    };
    match is_new {
        true => SagaDecision::Learned(vec![Fact::Payment(fact)]),
        false => SagaDecision::Known,
    }
}
