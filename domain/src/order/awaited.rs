//! The commands of a saga that are sent and not answered.

use super::facts::Facts;
use super::steps::{Action, COMPENSATION, FULFILMENT, Step, steps};
use crate::messages::Plan;

/// The commands that are sent and not answered. Each is sent again when its answer is late.
pub fn awaited(facts: &Facts, plan: Plan) -> Vec<&'static Action> {
    if facts.is_closed() {
        return Vec::new();
    }
    if facts.is_failing() {
        let open = COMPENSATION.into_iter().filter(|step| facts.step(*step).is_undo_awaited());
        return open.filter_map(Step::undo).collect();
    }
    let is_awaited = |step: &Step| facts.step(*step).is_awaited();
    let planned = steps(plan).into_iter().find(is_awaited);
    let open = planned.into_iter().chain(FULFILMENT.into_iter().filter(is_awaited));
    open.map(|step| &step.spec().action).collect()
}
