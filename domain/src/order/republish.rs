//! Restating: what the order service has told of an order is told again, and the services are asked again for
//! their outcomes, so that whoever has missed a message hears it.
//!
//! Every message has the id that it had, and every service answers with its latest outcome: who has heard it
//! before does nothing. For an order at rest; one under way is retried.

use super::fact_messages::payload;
use super::facts::Fact;
use super::saga::Saga;
use super::step_state::StepChange;
use super::steps::{FULFILMENT, Step, steps};
use crate::clock::Timestamp;
use crate::messages::{Flow, Message, Payload};
use std::sync::Arc;

/// The messages that say it all again.
pub fn republish(saga: &Saga) -> Vec<Arc<Message>> {
    let own_facts = own_facts(saga).into_iter().filter(|(fact, _)| is_safe(saga, fact));
    let own_facts = own_facts.filter_map(|(fact, at)| Some((payload(saga, &fact)?, at)));
    let asked_commands = asked_commands(saga).into_iter().map(|payload| (payload, saga.updated_at));
    let message = |(payload, at)| Message::new(&saga.origin, payload, 0, at);
    own_facts.chain(asked_commands).map(message).collect()
}

/// The order service's own facts with messages, and when they were recorded.
fn own_facts(saga: &Saga) -> Vec<(Fact, Timestamp)> {
    let facts = &saga.facts;
    let rested = saga.updated_at;
    let mut own_facts = vec![(Fact::Placed, saga.created_at)];
    own_facts.extend(facts.confirmed_at.map(|at| (Fact::Confirmed, at)));
    if let Some(cancelled) = facts.compensation.as_ref().filter(|known| known.refused.is_none()) {
        let failure = cancelled.failure.clone();
        own_facts.push((Fact::CancelAsked { failure }, cancelled.since));
    }
    for step in FULFILMENT {
        let at = facts.step(step.leader()).done_at().unwrap_or(rested);
        let known = facts.step(step);
        own_facts
            .extend(known.is_started().then_some((Fact::Step(step, StepChange::Requested), at)));
        own_facts.extend(known.is_done().then_some((Fact::done(step), at)));
    }
    if facts.is_closed() {
        own_facts.push((Fact::Closed, rested));
    }
    own_facts
}

/// Choreographed, `order.created` has the payment taken. Of an order that has ended that must not happen, should
/// the payment service have lost its row.
fn is_safe(saga: &Saga, fact: &Fact) -> bool {
    let takes_payment = saga.origin.flow == Flow::Choreographed && *fact == Fact::Placed;
    !(takes_payment && saga.facts.is_failing())
}

/// Orchestrated, the commands whose answers are the services' latest outcomes. An order that has ended asks for
/// nothing but undoing.
fn asked_commands(saga: &Saga) -> Vec<Payload> {
    let facts = &saga.facts;
    if saga.origin.flow == Flow::Choreographed {
        return Vec::new();
    }
    let sent = |step: &Step| facts.step(*step).is_sent();
    if facts.is_failing() {
        let undos = Step::ALL.into_iter().filter(sent).filter_map(Step::undo);
        return undos.map(|undo| (undo.command)(&saga.details, saga.created_at)).collect();
    }
    let steps = steps(saga.origin.plan).into_iter().chain(FULFILMENT).filter(sent);
    steps.map(|step| (step.spec().action.command)(&saga.details, saga.created_at)).collect()
}
