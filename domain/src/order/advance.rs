//! What an order does next. Pure functions of its facts, its flow and its plan.
//!
//! In both flows the same facts are recorded, so that an order reads the same. Orchestrated, a step's fact
//! sends its command; choreographed, it sends nothing (see [`choreography`]).

use super::choreography;
use super::facts::{Fact, Facts};
use super::steps::steps;
use crate::messages::{Flow, Origin, Plan, Step};
use crate::planted::{Bug, planted};

/// What is to be done next, given what is known. Empty: wait, or rest.
pub fn next(facts: &Facts, origin: &Origin) -> Vec<Fact> {
    match (facts.is_failing(), origin.flow) {
        _ if facts.closed => Vec::new(),
        (false, _) => next_forward(facts, origin.plan),
        (true, Flow::Orchestrated) => next_undoing(facts),
        (true, Flow::Choreographed) => choreography::next_undoing(facts),
    }
}

/// Shipping is undone first and alone: a parcel must not leave while its money goes back. Then money
/// and stock together. What was sent counts as done, answered or not.
fn next_undoing(facts: &Facts) -> Vec<Fact> {
    let unsent = |step: Step| !facts.step(step).is_settled() && !facts.step(step).undo_sent;
    if !facts.shipping.is_settled() {
        return if unsent(Step::Shipping) {
            vec![Fact::UndoSent { step: Step::Shipping }]
        } else {
            Vec::new()
        };
    }
    if planted(Bug::SkipRelease) && unsent(Step::Inventory) {
        return vec![Fact::StepUndone { step: Step::Inventory }];
    }
    let undo: Vec<Fact> = [Step::Payment, Step::Inventory]
        .into_iter()
        .filter(|step| unsent(*step))
        .map(|step| Fact::UndoSent { step })
        .collect();
    if undo.is_empty() && facts.payment.is_settled() && facts.inventory.is_settled() {
        return vec![Fact::Closed];
    }
    undo
}

fn next_forward(facts: &Facts, plan: Plan) -> Vec<Fact> {
    if choreography::is_unexplained(facts) {
        return Vec::new();
    }
    let unpaid = planted(Bug::ConfirmUnpaid) && facts.payment.sent;
    let is_done = |step: Step| facts.step(step).done || (unpaid && step == Step::Payment);
    if let Some(step) = steps(plan).into_iter().find(|step| !is_done(*step)) {
        return if facts.step(step).sent { Vec::new() } else { vec![Fact::StepSent { step }] };
    }
    let next = if facts.confirmed_at.is_none() {
        Fact::Confirmed
    } else if facts.dispatch_asked && !facts.dispatch_sent {
        Fact::DispatchSent
    } else if facts.dispatched_at.is_some() && !facts.commit_sent {
        Fact::CommitSent
    } else if facts.delivery_asked && !facts.deliver_sent {
        Fact::DeliverSent
    } else {
        return Vec::new();
    };
    vec![next]
}
