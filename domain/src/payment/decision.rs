//! The decision on a payment: events, and the effects that follow their commit.

use super::event::PaymentEvent;
use super::policy::{Now, PaymentPolicy};
use super::state::Payment;
use std::time::Duration;

/// An effect that runs once the events are committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell the saga the latest outcome: [`Payment::outcome`], in the same transaction.
    Tell,
    /// Put [`Payment::question`] to the gateway, and bring back the answer.
    Ask,
    /// Wait, then say that the pause after the latest question is over.
    Rest(Duration),
}

/// The decision on a payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentDecision {
    /// Events to apply to the payment, in order.
    pub events: Vec<PaymentEvent>,
    /// Effects, run on the payment with the events applied.
    pub effects: Vec<Effect>,
}

impl PaymentDecision {
    /// Says the latest outcome again.
    pub(super) fn tell() -> Self {
        Self { events: Vec::new(), effects: vec![Effect::Tell] }
    }

    /// An event that is an outcome.
    pub(super) fn outcome(event: PaymentEvent) -> Self {
        Self { events: vec![event], effects: vec![Effect::Tell] }
    }

    /// Has the gateway asked, at once.
    pub(super) fn ask(payment: &Payment, now: Now<'_>) -> Self {
        Self::ask_nth(payment.questions() + 1, now)
    }

    /// An event after which the gateway is asked, at once.
    pub(super) fn ask_upon(event: PaymentEvent, now: Now<'_>) -> Self {
        let mut decision = Self::ask_nth(1, now);
        decision.events.insert(0, event);
        decision
    }

    fn ask_nth(nth: u32, now: Now<'_>) -> Self {
        let answered_or_rested = now.at + now.policy.timeout + now.policy.pause(nth);
        let due_at = answered_or_rested + PaymentPolicy::LOST_AFTER;
        Self { events: vec![PaymentEvent::Asked { due_at }], effects: vec![Effect::Ask] }
    }

    /// Lets some time pass before the gateway is asked again.
    pub(super) fn rest(pause: Duration) -> Self {
        Self { events: Vec::new(), effects: vec![Effect::Rest(pause)] }
    }
}
