//! Decides an input of an order: which facts it adds, or why it is refused. Pure.

use super::answer::answer;
use super::awaited::awaited;
use super::deadlines::decide_due;
use super::decide_payment_news::decide_news;
use super::decision::SagaDecision;
use super::facts::Fact;
use super::policy::SagaPolicy;
use super::saga::Saga;
use super::step_state::StepChange;
use super::steps::{Phase, Step, Trigger};
use crate::clock::Timestamp;
use crate::messages::{Failure, Flow, Kind, Message};
use crate::planted::{Bug, planted};
use std::sync::Arc;
use std::time::Duration;

/// An input of an existing order.
#[derive(Clone, Debug)]
pub enum DecideInput {
    /// A service's answer.
    Message(Arc<Message>),
    /// The customer wants it to end.
    Cancel,
    /// The parcel may leave.
    Dispatch,
    /// The customer has it.
    Deliver,
    /// Its time has come.
    Due {
        /// How far behind our own work is.
        lag: Duration,
    },
    /// A person asks for another try.
    Retry,
}

impl DecideInput {
    /// The name of the message or request.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Message(message) => message.kind().as_str(),
            Self::Cancel => "cancel",
            Self::Dispatch => "dispatch",
            Self::Deliver => "deliver",
            Self::Due { .. } => "due",
            Self::Retry => "retry",
        }
    }
}

/// Decides what becomes known.
pub fn decide(
    saga: &Saga,
    input: &DecideInput,
    now: Timestamp,
    policy: &SagaPolicy,
) -> SagaDecision {
    match input {
        DecideInput::Message(message) => decide_service_answer(saga, message),
        DecideInput::Cancel => cancel(saga),
        DecideInput::Dispatch => request(saga, Step::Dispatch),
        DecideInput::Deliver => request(saga, Step::Delivery),
        DecideInput::Due { lag } => decide_due(saga, now, *lag, policy),
        DecideInput::Retry => retry(saga),
    }
}

/// The name in place of a failed step when the customer has cancelled the order.
pub const BY_CUSTOMER: &str = "customer";

/// Cancelled by the customer: until dispatch was asked, at any moment.
fn cancel(saga: &Saga) -> SagaDecision {
    let facts = &saga.facts;
    if facts.step(Step::Dispatch).is_started() && !planted(Bug::CancelDispatched) {
        return SagaDecision::Conflict(
            "the order cannot be cancelled: its dispatch is already requested",
        );
    }
    if facts.is_failing() {
        return SagaDecision::Known;
    }
    let failure = Failure {
        step: BY_CUSTOMER.to_owned(),
        reason: "cancelled_by_customer".to_owned(),
        shortages: Vec::new(),
    };
    SagaDecision::Learned(vec![Fact::CancelAsked { failure }])
}

/// A step of the fulfilment is requested.
fn request(saga: &Saga, step: Step) -> SagaDecision {
    match step.trigger() {
        Some(Trigger::Request { from, conflict, compensating, .. })
            if !saga.facts.step(step).is_started() =>
        {
            match () {
                () if saga.status() != *from => SagaDecision::Conflict(conflict),
                () if saga.facts.is_failing() => SagaDecision::Conflict(compensating),
                () => learned(step, StepChange::Requested),
            }
        }
        _ => SagaDecision::Known,
    }
}

fn retry(saga: &Saga) -> SagaDecision {
    if awaited(&saga.facts, saga.origin.plan).is_empty() {
        // Nothing goes on by itself: whoever asks has seen to it.
        if saga.facts.stuck.is_some() {
            return SagaDecision::Learned(vec![Fact::SeenTo]);
        }
        return SagaDecision::Conflict("nothing to retry: the saga is not waiting for a service");
    }
    SagaDecision::Resend(vec![Fact::RetryAsked])
}

/// A service has answered. What is known already is known, what comes too late is only recorded, what cannot be
/// raises an alarm.
///
/// Choreographed, the services go on without the saga: an answer may be heard before the one that it
/// followed.
fn decide_service_answer(saga: &Saga, message: &Message) -> SagaDecision {
    if let Some(decision) = decide_news(saga, message) {
        return decision;
    }
    let kind = message.kind();
    let Some((step, change)) = answer(&saga.facts, message) else { return SagaDecision::Known };
    match change {
        StepChange::Done(_) => done(saga, step, change, kind),
        StepChange::Refused(_) => refused(saga, step, change, kind),
        StepChange::Undone => undone(saga, step, kind),
        StepChange::Requested | StepChange::Sent | StepChange::UndoSent => SagaDecision::Known,
    }
}

fn done(saga: &Saga, step: Step, change: StepChange, kind: Kind) -> SagaDecision {
    let (facts, known) = (&saga.facts, saga.facts.step(step));
    match &step.spec().phase {
        _ if known.is_done() => SagaDecision::Known,
        // Refused or undone first: its late original changes nothing.
        Phase::Plan { .. } if known.is_refused() || known.is_undone() || facts.is_closed() => {
            stale(kind)
        }
        Phase::Plan { .. } => sent_and(saga, step, change),
        Phase::Fulfilment { .. } if known.is_sent() => learned(step, change),
        Phase::Fulfilment { trigger, unsent, .. } => match (trigger, step.previous()) {
            // Stock only leaves with its parcel.
            (Trigger::Previous, Some(previous))
                if follows(saga) && facts.step(previous).is_awaited() =>
            {
                let sent = Fact::Step(step, StepChange::Sent);
                SagaDecision::Learned(vec![Fact::done(previous), sent, Fact::Step(step, change)])
            }
            _ => impossible(kind, unsent),
        },
    }
}

fn refused(saga: &Saga, step: Step, change: StepChange, kind: Kind) -> SagaDecision {
    let known = saga.facts.step(step);
    match () {
        () if known.is_refused() => SagaDecision::Known,
        () if known.is_undone() || saga.facts.is_closed() => stale(kind),
        () if known.is_done() && !known.is_undo_sent() => {
            impossible(kind, "a completed step was reported as refused")
        }
        () => sent_and(saga, step, change),
    }
}

fn undone(saga: &Saga, step: Step, kind: Kind) -> SagaDecision {
    let (facts, known) = (&saga.facts, saga.facts.step(step));
    // Its cause may be heard later, but not of an order for which everything was done.
    let may_follow = follows(saga) && (facts.is_failing() || facts.confirmed_at.is_none());
    match () {
        () if known.is_undone() => SagaDecision::Known,
        () if facts.is_closed() => stale(kind),
        () if !may_follow && !known.is_undo_sent() => {
            impossible(kind, "a step was compensated without a command")
        }
        () => learned(step, StepChange::Undone),
    }
}

/// True when the services react to each other, and the saga only follows.
fn follows(saga: &Saga) -> bool {
    saga.origin.flow == Flow::Choreographed
}

fn learned(step: Step, change: StepChange) -> SagaDecision {
    SagaDecision::Learned(vec![Fact::Step(step, change)])
}

/// The change, and that the step's command was sent: what is answered was asked for, recorded or not.
fn sent_and(saga: &Saga, step: Step, change: StepChange) -> SagaDecision {
    let sent = (!saga.facts.step(step).is_sent()).then_some(Fact::Step(step, StepChange::Sent));
    SagaDecision::Learned(sent.into_iter().chain([Fact::Step(step, change)]).collect())
}

/// Comes too late to change anything: it is only recorded.
fn stale(kind: Kind) -> SagaDecision {
    SagaDecision::Learned(vec![Fact::Stale { kind }])
}

/// Cannot happen while every service keeps its promises: an alarm, recorded once.
fn impossible(kind: Kind, what: &str) -> SagaDecision {
    SagaDecision::Learned(vec![Fact::Stale { kind }, Fact::Stuck { reason: what.to_owned() }])
}
