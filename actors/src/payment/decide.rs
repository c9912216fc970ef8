//! The payment's decider: what is asked of it, and what it decides. Pure; a file per verb.

use super::event::PaymentEvent;
use super::gateway_port::{Charge, GatewayError, Undone};
use super::state::Payment;
use super::{gateway_answer, process, refund, resume};
use crate::clock::Timestamp;
use crate::messages::{Origin, PaymentProcess};
use std::time::Duration;

/// What is asked of a payment.
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
}

/// What came of asking the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayAnswer {
    /// Which question it answers: the payment's `attempts` when it was asked.
    pub attempt: u32,
    /// What it says.
    pub result: Result<GatewayReply, GatewayError>,
}

/// What the gateway says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayReply {
    /// Of a charge.
    Charge(Charge),
    /// Of a void or a refund.
    Undone(Undone),
}

/// What is to be done once the events are committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell the saga the latest outcome: [`Payment::outcome`], in the same transaction.
    Tell,
    /// Put [`Payment::question`] to the gateway, and bring back the answer.
    Ask,
    /// Wait, then say that the pause after the latest question is over.
    Rest(Duration),
}

/// What was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentDecision {
    /// What happens to the payment, in this order.
    pub events: Vec<PaymentEvent>,
    /// What follows, on the payment as it then is.
    pub effects: Vec<Effect>,
}

/// How the gateway is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentPolicy {
    /// How long an answer is waited for before the outcome counts as unknown.
    pub timeout: Duration,
    /// The pause before a question is put the second time; doubled each further time.
    pub pause_min: Duration,
    /// The longest pause: a gateway that is back is noticed within this time.
    pub pause_max: Duration,
}

impl PaymentPolicy {
    /// A question is taken for lost this long after it should have been answered or put again: time
    /// enough for a busy process to commit either.
    const LOST_AFTER: Duration = Duration::from_secs(5);

    /// The pause after so many questions without an answer.
    pub(super) fn pause(&self, unanswered: u32) -> Duration {
        let doublings = unanswered.saturating_sub(1);
        self.pause_min.saturating_mul(2_u32.saturating_pow(doublings)).min(self.pause_max)
    }
}

impl Default for PaymentPolicy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            pause_min: Duration::from_millis(100),
            pause_max: Duration::from_secs(30),
        }
    }
}

/// When it is decided, and by which policy.
#[derive(Clone, Copy, Debug)]
pub struct Now<'a> {
    /// The time.
    pub at: Timestamp,
    /// The policy.
    pub policy: &'a PaymentPolicy,
}

/// Decides. The same payment and input always come to the same.
pub fn decide(payment: Option<&Payment>, input: &PaymentInput, now: Now<'_>) -> PaymentDecision {
    match input {
        PaymentInput::Process(origin, intent) => process::process(payment, origin, intent, now),
        PaymentInput::Refund(origin) => refund::refund(payment, origin, now),
        PaymentInput::Answered(answer) => payment
            .map(|payment| gateway_answer::apply_gateway_answer(payment, answer, now))
            .unwrap_or_default(),
        PaymentInput::PauseElapsed(attempt) => payment
            .map(|payment| resume::resume_after_pause(payment, *attempt, now))
            .unwrap_or_default(),
        PaymentInput::Resume => {
            payment.map(|payment| resume::resume(payment, now)).unwrap_or_default()
        }
    }
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
