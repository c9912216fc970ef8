//! What an order and its saga are called, derived from the facts.

use super::facts::Facts;
use super::status::{OrderStatus, SagaStatus, SagaStep};
use super::steps::{awaited, steps};
use crate::messages::{Plan, Step};

/// The order's status.
pub fn order_status(facts: &Facts, plan: Plan) -> OrderStatus {
    if facts.closed {
        return OrderStatus::Cancelled;
    }
    if facts.is_failing() {
        return match facts.failed_step {
            _ if facts.payment.undone => OrderStatus::PaymentReversed,
            Some(Step::Inventory) => OrderStatus::InventoryFailed,
            Some(Step::Payment) => OrderStatus::PaymentFailed,
            Some(Step::Shipping) => OrderStatus::ShippingFailed,
            // Asked to end, not failed: it keeps the name of how far it came.
            None => progress(facts, plan),
        };
    }
    progress(facts, plan)
}

fn progress(facts: &Facts, plan: Plan) -> OrderStatus {
    if facts.delivered_at.is_some() {
        return OrderStatus::Completed;
    }
    if facts.committed {
        return OrderStatus::Shipped;
    }
    if facts.confirmed_at.is_some() {
        return OrderStatus::Confirmed;
    }
    // A parcel has no status of its own: with it the order is confirmed.
    let named = |step: &Step| *step != Step::Shipping && facts.step(*step).done;
    match steps(plan).into_iter().rfind(named) {
        Some(Step::Inventory) => OrderStatus::InventoryReserved,
        Some(Step::Payment | Step::Shipping) => OrderStatus::PaymentApproved,
        None => OrderStatus::Pending,
    }
}

/// The saga's status.
pub fn saga_status(facts: &Facts, plan: Plan) -> SagaStatus {
    if facts.closed && facts.stuck.is_none() {
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

/// What the saga is doing: the step that it waits for first, or [`SagaStep::Done`].
pub fn saga_step(facts: &Facts, plan: Plan) -> SagaStep {
    awaited(facts, plan).first().map_or(SagaStep::Done, |awaited| awaited.step())
}
