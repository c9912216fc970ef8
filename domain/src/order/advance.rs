//! Derives the next facts of an order from its facts, its flow and its plan. Pure.
//!
//! In both flows the same facts are recorded, so that an order reads the same. Orchestrated, a step's fact
//! sends its command; choreographed, it sends nothing (see [`choreography`]).

use super::choreography;
use super::facts::{Fact, Facts};
use super::step_state::StepChange;
use super::steps::{COMPENSATION, FULFILMENT, Step, Trigger, steps};
use crate::messages::{Flow, Origin, Plan};
use crate::planted::{Bug, planted};

/// The facts that follow from these. Empty: wait, or rest.
pub fn next(facts: &Facts, origin: &Origin) -> Vec<Fact> {
    match (facts.is_failing(), origin.flow) {
        _ if facts.is_closed() => Vec::new(),
        (false, _) => next_forward(facts, origin.plan),
        (true, Flow::Orchestrated) => next_undoing(facts),
        (true, Flow::Choreographed) => choreography::next_undoing(facts),
    }
}

/// The first step of [`COMPENSATION`] is undone alone, then the others together. A step that was sent counts as done,
/// answered or not.
fn next_undoing(facts: &Facts) -> Vec<Fact> {
    let [first, others @ ..] = &COMPENSATION;
    if !facts.step(*first).has_nothing_to_undo() {
        return undo(facts, &[*first]);
    }
    if planted(Bug::SkipRelease) && facts.step(Step::Inventory).needs_undo() {
        return vec![Fact::Step(Step::Inventory, StepChange::Undone)];
    }
    if others.iter().all(|step| facts.step(*step).has_nothing_to_undo()) {
        return vec![Fact::Closed];
    }
    undo(facts, others)
}

/// The undos of these steps that are still to be sent.
fn undo(facts: &Facts, steps: &[Step]) -> Vec<Fact> {
    let steps = steps.iter().filter(|step| facts.step(**step).needs_undo());
    steps.map(|step| Fact::Step(*step, StepChange::UndoSent)).collect()
}

fn next_forward(facts: &Facts, plan: Plan) -> Vec<Fact> {
    if choreography::is_unexplained(facts) {
        return Vec::new();
    }
    let unpaid = planted(Bug::ConfirmUnpaid) && facts.step(Step::Payment).is_sent();
    let is_done = |step: Step| facts.step(step).is_done() || (unpaid && step == Step::Payment);
    if let Some(step) = steps(plan).into_iter().find(|step| !is_done(*step)) {
        let sent = (!facts.step(step).is_sent()).then_some(Fact::Step(step, StepChange::Sent));
        return sent.into_iter().collect();
    }
    if facts.confirmed_at.is_none() {
        return vec![Fact::Confirmed];
    }
    let ready = FULFILMENT.into_iter().find(|step| is_ready(facts, *step));
    ready.map(|step| Fact::Step(step, StepChange::Sent)).into_iter().collect()
}

/// True when what starts a step of the fulfilment has happened, and its command is not sent.
fn is_ready(facts: &Facts, step: Step) -> bool {
    let has_started = match step.trigger() {
        Some(Trigger::Previous) => step.previous().is_some_and(|step| facts.step(step).is_done()),
        Some(Trigger::Request { .. }) | None => facts.step(step).is_started(),
    };
    has_started && !facts.step(step).is_sent()
}
