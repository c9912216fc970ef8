//! The messages of a payment: its outcome, its page, and what else became of it.

use super::gateway_payment::Page;
use super::provider::Provider;
use super::requests::RefundStatus;
use super::state::{End, Payment, State};
use super::status::PaymentStatus;
use crate::clock::Timestamp;
use crate::messages::{
    Message, Payload, PaymentActionRequired, PaymentApproved, PaymentAttention, PaymentMessage,
    PaymentRefunded, PaymentStatusUpdated, PaymentUpdated, Refusal,
};
use crate::money::Money;
use std::sync::Arc;

impl Payment {
    /// The latest outcome, to the letter the same however often it is told. None: there is none yet.
    pub fn outcome(&self) -> Option<Arc<Message>> {
        let at = self.published.outcome_at.unwrap_or(self.changed_at);
        let (payload, number) = match &self.state {
            State::Approved => {
                let total = self.intent.as_ref()?.total;
                let transaction_id = self.known.reference.payment.clone().unwrap_or_default();
                let approved = PaymentApproved { total, transaction_id };
                let payload = Payload::Payment(PaymentMessage::Approved(approved));
                return Some(Message::new(&self.origin, payload, 0, at));
            }
            State::Ended { end } => match end {
                End::Declined { reason } => (PaymentMessage::Failed(Refusal::because(reason)), 0),
                End::Expired => (PaymentMessage::Failed(Refusal::because("expired")), 0),
                End::Lapsed { reason } => (PaymentMessage::Lapsed(Refusal::because(reason)), 0),
                End::Reversed => {
                    (PaymentMessage::Reversed, self.published.reversals.saturating_sub(1))
                }
                End::Tombstoned => (PaymentMessage::Reversed, 0),
            },
            State::Creating
            | State::AwaitingCustomer { .. }
            | State::InReview { .. }
            | State::Authorized
            | State::Capturing
            | State::Cancelling { .. }
            | State::Refunding { .. } => return None,
        };
        Some(Message::new(&self.origin.slim(), Payload::Payment(payload), number, at))
    }

    /// The message that there is a page, to the letter the same however often it is told.
    pub(super) fn page_message(&self, page: &Page) -> Option<Arc<Message>> {
        let action = PaymentActionRequired {
            url: page.url.clone(),
            expires_at: page.expires_at,
            amount: self.intent.as_ref()?.total,
        };
        let number = self.published.pages.saturating_sub(1);
        let at = self.published.page_at.unwrap_or(self.changed_at);
        Some(self.say(PaymentMessage::ActionRequired(action), number, at))
    }

    fn say(&self, message: PaymentMessage, number: u32, at: Timestamp) -> Arc<Message> {
        Message::new(&self.origin.slim(), Payload::Payment(message), number, at)
    }

    /// True when there is more to tell than an outcome: an order that the simulated gateway takes the money of at
    /// once has none of it.
    fn has_news(&self) -> bool {
        self.published.updates > 0
            || self.provider != Provider::Simulated
            || self.had_page()
            || self.attention.is_some()
            || !self.refunds.is_empty()
            || matches!(self.state, State::InReview { .. })
            || self.state == State::Approved && self.known.refunded_minor > 0
    }

    fn update(&self, previous: Option<PaymentStatus>) -> PaymentUpdated {
        PaymentUpdated {
            status: self.status(),
            previous,
            provider: self.provider,
            method: self.method().to_owned(),
            captured_minor: self.known.captured_minor,
            refunded_minor: self.known.refunded_minor,
            last_try: self.known.last_try.clone(),
            capture_before: self.known.capture_before,
            attention: self.attention,
        }
    }
}

/// What is told because of a change, beside outcome and page; the payment notes that it was.
pub(super) fn news(
    before: Option<&Payment>,
    payment: &mut Payment,
    at: Timestamp,
) -> Vec<Arc<Message>> {
    let mut messages = Vec::new();
    if let Some(attention) = payment.attention
        && before.and_then(|before| before.attention) != Some(attention)
    {
        let told = PaymentMessage::Attention(PaymentAttention { attention });
        messages.push(payment.say(told, payment.published.attentions, at));
        payment.published.attentions += 1;
    }
    messages.extend(refunds(before, payment, at));
    if !payment.has_news() {
        return messages;
    }
    let status = before.map(Payment::status);
    let earlier = before.filter(|before| before.published.updates > 0);
    let told_already = earlier.map(|before| before.update(None)) == Some(payment.update(None));
    if !told_already {
        let update = payment.update(status);
        messages.push(payment.say(PaymentMessage::Updated(update), payment.published.updates, at));
        if earlier.map(|before| seed_status(before.status())) != Some(seed_status(payment.status()))
        {
            let customer = payment.intent.as_ref().map(|intent| intent.customer_id.clone());
            let seed = PaymentStatusUpdated {
                payment_status: seed_status(payment.status()).to_owned(),
                payment_id: payment.key().0,
                order_id: payment.origin.order_id,
                payment_method: payment.method().to_owned(),
                customer_id: customer.unwrap_or_default(),
            };
            let told = PaymentMessage::StatusUpdated(seed);
            messages.push(payment.say(told, payment.published.updates, at));
        }
        payment.published.updates += 1;
    }
    messages
}

/// The refunds that the gateway has taken since, one message each; and what was given back in its dashboard.
fn refunds(before: Option<&Payment>, payment: &mut Payment, at: Timestamp) -> Vec<Arc<Message>> {
    let (Some(before), Some(intent)) = (before, &payment.intent) else { return Vec::new() };
    if before.state != State::Approved || payment.state != State::Approved {
        return Vec::new();
    }
    let currency = intent.total.currency;
    let is_taken = |status| matches!(status, RefundStatus::Pending | RefundStatus::Done);
    let mut by_us = 0;
    let mut taken = Vec::new();
    for refund in payment.refunds.iter().filter(|refund| is_taken(refund.status)) {
        let earlier = before.refunds.iter().find(|known| known.refund_id == refund.refund_id);
        if !earlier.is_some_and(|known| is_taken(known.status)) {
            by_us += refund.amount_minor;
            taken.push((Some(refund.refund_id), refund.amount_minor));
        }
    }
    let grown = payment.known.refunded_minor - before.known.refunded_minor;
    if grown > by_us {
        taken.push((None, grown - by_us));
    }
    let refunded_total = Money { minor: payment.known.refunded_minor, currency };
    let mut messages = Vec::new();
    for (refund_id, minor) in taken {
        let amount = Money { minor, currency };
        let told = PaymentMessage::Refunded(PaymentRefunded { refund_id, amount, refunded_total });
        messages.push(payment.say(told, payment.published.refunds, at));
        payment.published.refunds += 1;
    }
    messages
}

/// The status in the words of seed 004.
fn seed_status(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Approved | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => {
            "SUCCESS"
        }
        PaymentStatus::Pending
        | PaymentStatus::AwaitingCustomer
        | PaymentStatus::InReview
        | PaymentStatus::Authorized => "PENDING",
        PaymentStatus::Expired => "EXPIRED",
        PaymentStatus::Failed
        | PaymentStatus::Lapsed
        | PaymentStatus::Reversing
        | PaymentStatus::Reversed => "FAILED",
    }
}
