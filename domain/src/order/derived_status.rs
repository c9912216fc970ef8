//! The statuses of an order and its saga, derived from the facts.

use super::awaited::awaited;
use super::facts::Facts;
use super::status::{OrderStatus, SagaStatus};
use super::steps::{FULFILMENT, Phase, SagaStep, Step, steps};
use crate::messages::Plan;

/// The order's status.
pub fn order_status(facts: &Facts, plan: Plan) -> OrderStatus {
    if facts.is_closed() {
        return OrderStatus::Cancelled;
    }
    let compensating = match facts.failure() {
        // An order that is cancelled has not failed: it keeps the status that it had.
        Some(_) => undone(facts).or_else(|| failed(facts)),
        None => None,
    };
    compensating.unwrap_or_else(|| progress(facts, plan))
}

/// The status of the step whose refusal ends the order.
fn failed(facts: &Facts) -> Option<OrderStatus> {
    match &facts.refused_step()?.spec().phase {
        Phase::Plan { failed, .. } => Some(*failed),
        Phase::Fulfilment { .. } => None,
    }
}

/// The status of a step that is undone, if there is one.
fn undone(facts: &Facts) -> Option<OrderStatus> {
    let undone = Step::ALL.into_iter().filter(|step| facts.step(*step).is_undone());
    undone.filter_map(|step| step.undo()?.status).next()
}

/// The status of the last step that is done.
fn progress(facts: &Facts, plan: Plan) -> OrderStatus {
    let done = |step: Step| step.spec().action.status.filter(|_| facts.step(step).is_done());
    let fulfilled = FULFILMENT.into_iter().rev().find_map(done);
    let confirmed = || facts.confirmed_at.map(|_| OrderStatus::Confirmed);
    let planned = || steps(plan).into_iter().rev().find_map(done);
    fulfilled.or_else(confirmed).or_else(planned).unwrap_or(OrderStatus::Pending)
}

/// The saga's status.
pub fn saga_status(facts: &Facts, plan: Plan) -> SagaStatus {
    if facts.is_closed() && facts.stuck.is_none() {
        SagaStatus::Compensated
    } else if facts.stuck.is_some() {
        SagaStatus::Failed
    } else if facts.is_failing() {
        SagaStatus::Compensating
    } else if awaited(facts, plan).is_empty() && facts.confirmed_at.is_some() {
        SagaStatus::Completed
    } else {
        SagaStatus::InProgress
    }
}

/// The activity of the saga: the step that it waits for first, or [`SagaStep::DONE`].
pub fn saga_step(facts: &Facts, plan: Plan) -> SagaStep {
    awaited(facts, plan).first().map_or(SagaStep::DONE, |awaited| awaited.activity)
}
