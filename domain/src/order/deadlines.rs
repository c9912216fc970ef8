//! When an order is looked at next, and what is done then.

use super::awaited::awaited;
use super::choreography::{is_unexplained, unexplained};
use super::decision::SagaDecision;
use super::facts::Fact;
use super::policy::SagaPolicy;
use super::saga::Saga;
use super::step_state::StepChange;
use super::steps::{FULFILMENT, Step, Trigger};
use crate::backoff::Backoff;
use crate::clock::Timestamp;
use crate::messages::Failure;
use crate::planted::{Bug, planted};
use std::time::Duration;

/// When what is awaited is asked for again.
fn resend_at(saga: &Saga, policy: &SagaPolicy) -> Option<Timestamp> {
    if awaited(&saga.facts, saga.origin.plan).is_empty() {
        return None;
    }
    let first = policy.step_timeout;
    let pauses = Backoff::new(first, SagaPolicy::RESEND_MAX.max(first));
    let usual = saga.sending.at + pauses.delay(saga.sending.again);
    // The customer takes longer than a service: until the page has ended nothing is late.
    Some(saga.facts.page_ends_at().filter(|ends| *ends > saga.sending.at).unwrap_or(usual))
}

/// When the order must be confirmed.
fn expires_at(saga: &Saga, policy: &SagaPolicy) -> Option<Timestamp> {
    let open = saga.facts.confirmed_at.is_none() && !saga.facts.is_failing();
    open.then(|| saga.created_at + policy.order_timeout)
}

/// When the compensation must be done.
fn stuck_at(saga: &Saga, policy: &SagaPolicy) -> Option<Timestamp> {
    let open = saga.facts.compensation.as_ref().filter(|compensation| !compensation.closed)?;
    saga.facts.stuck.is_none().then(|| open.since + policy.compensation_timeout)
}

/// The step that a confirmed order requests by itself, and when.
fn automatic(saga: &Saga, policy: &SagaPolicy) -> Option<(Step, Timestamp)> {
    let confirmed_at = saga.facts.confirmed_at.filter(|_| !saga.facts.is_failing())?;
    let is_open = |step: &Step| !saga.facts.step(*step).is_started();
    FULFILMENT.into_iter().filter(is_open).find_map(|step| match step.trigger()? {
        Trigger::Request { automatic, .. } => Some((step, confirmed_at + automatic(policy)?)),
        Trigger::Previous => None,
    })
}

/// When the sweeper should look at the order next. None: it rests.
fn due_at(saga: &Saga, policy: &SagaPolicy) -> Option<Timestamp> {
    [
        resend_at(saga, policy),
        expires_at(saga, policy),
        stuck_at(saga, policy),
        automatic(saga, policy).map(|(_, at)| at),
    ]
    .into_iter()
    .flatten()
    .min()
}

/// How much earlier than needed a stored `due_at` may be: a quick order passes all its steps meanwhile.
const EARLY_MAX: Duration = Duration::from_secs(10);

/// The time to store, where one is stored already. While that is only a little too early it stays: stores
/// keep an index of it, which a quick order then changes twice, when it is placed and when it rests. Who is
/// looked at too early is found to be not due, and has the exact time written then.
pub fn stored_due_at(saga: &Saga, now: Timestamp, policy: &SagaPolicy) -> Option<Timestamp> {
    let wanted = due_at(saga, policy)?;
    let stays =
        |stored: &Timestamp| now < *stored && (wanted - EARLY_MAX..=wanted).contains(stored);
    Some(saga.due_at.filter(stays).unwrap_or(wanted))
}

/// Turns that an answer waits for at the most: its command's in the outbox and in the service's queue, its
/// own in the service's outbox and in ours.
const TURNS: u32 = 4;

/// True when our own lag explains that the answer is not there yet: asking again would only lengthen the
/// queues. Not for ever: a queue may as well have lost what was asked.
fn is_merely_late(saga: &Saga, now: Timestamp, lag: Duration) -> bool {
    let explained = lag.saturating_mul(TURNS).min(SagaPolicy::RESEND_MAX);
    now < saga.sending.at + explained
}

/// Decides about an order that is due, while our own work is behind by `lag`.
pub fn decide_due(saga: &Saga, now: Timestamp, lag: Duration, policy: &SagaPolicy) -> SagaDecision {
    let passed = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    if passed(expires_at(saga, policy)) {
        let failure = Failure {
            step: saga.step().to_lowercase(),
            reason: "deadline_exceeded".to_owned(),
            shortages: Vec::new(),
        };
        return SagaDecision::Learned(vec![Fact::CancelAsked { failure }]);
    }
    if let Some((step, _)) = automatic(saga, policy).filter(|(_, at)| *at <= now) {
        return SagaDecision::Learned(vec![Fact::Step(step, StepChange::Requested)]);
    }
    let unanswered = passed(resend_at(saga, policy));
    let merely_late = unanswered && is_merely_late(saga, now, lag);
    if is_unexplained(&saga.facts) && unanswered && !merely_late {
        return SagaDecision::Learned(vec![unexplained()]);
    }
    let mut facts = Vec::new();
    if passed(stuck_at(saga, policy)) {
        let reason = format!(
            "{} has not completed within {:?}",
            saga.step().to_lowercase(),
            policy.compensation_timeout
        );
        facts.push(Fact::Stuck { reason });
    }
    if unanswered && !merely_late && !planted(Bug::NoResend) {
        return SagaDecision::Resend(facts);
    }
    match () {
        () if !facts.is_empty() => SagaDecision::Learned(facts),
        () if merely_late => SagaDecision::Postponed,
        () => SagaDecision::Known,
    }
}

/// How long a sweeper's claim on an order holds: within this time the order has been looked at and
/// its `due_at` written anew, or the claim lapses and it is looked at again.
pub const CLAIM: Duration = Duration::from_secs(15);
