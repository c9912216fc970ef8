//! Which events an order's way has caused: what the audit must have, and what the customer must have heard.

use super::records::OrderRecord;
use crate::messages::{Flow, Kind};
use crate::order::choreography::PAYMENT_REVERSED;
use crate::order::steps::{Phase, Step};

/// The events that the order service itself tells, in the order of an order's life.
const OWN: [Kind; 8] = [
    Kind::OrderCreated,
    Kind::OrderConfirmed,
    Kind::OrderCancelRequested,
    Kind::OrderDispatchRequested,
    Kind::OrderShipped,
    Kind::OrderDeliveryConfirmed,
    Kind::OrderCompleted,
    Kind::OrderCancelled,
];

/// The events that the order service has told of the order.
pub(super) fn published(order: &OrderRecord) -> Vec<Kind> {
    OWN.into_iter().filter(|kind| was_published(order, *kind)).collect()
}

/// Those that the customer hears of.
pub(super) fn customer_events(order: &OrderRecord) -> Vec<Kind> {
    published(order).into_iter().filter(|kind| kind.concerns_customer()).collect()
}

/// True of an event that only the order service tells.
pub(super) fn is_own(name: &str) -> bool {
    OWN.iter().any(|kind| kind.as_str() == name)
}

fn was_published(order: &OrderRecord, kind: Kind) -> bool {
    let facts = &order.facts;
    match kind {
        Kind::OrderCreated => true,
        Kind::OrderConfirmed => facts.confirmed_at.is_some(),
        // An order ends because a step is refused or because somebody cancels it.
        Kind::OrderCancelRequested => facts.is_failing() && facts.refused_step().is_none(),
        Kind::OrderDispatchRequested => facts.step(Step::Dispatch).is_started(),
        Kind::OrderShipped => facts.step(Step::Commit).is_done(),
        Kind::OrderDeliveryConfirmed => facts.step(Step::Delivery).is_started(),
        Kind::OrderCompleted => facts.step(Step::Delivery).is_done(),
        Kind::OrderCancelled => facts.is_closed(),
        _ => false,
    }
}

/// The events of other services that the order service must have heard to know what it knows.
pub(super) fn consumed(order: &OrderRecord) -> Vec<Kind> {
    let facts = &order.facts;
    // Choreographed, that a step is undone may be concluded from another's undoing; and the refusal of a payment
    // may stand for a reversal that nobody explained.
    let orchestrated = order.flow == Flow::Orchestrated;
    let explained = facts.failure().is_none_or(|why| why.reason != PAYMENT_REVERSED);
    let consumed = Step::ALL.into_iter().flat_map(|step| {
        let (known, is_payment) = (facts.step(step), step == Step::Payment);
        let done = known.is_done().then_some(step.spec().action.done);
        let (refused, undone) = match &step.spec().phase {
            Phase::Plan { refused, undo, .. } => (
                (known.is_refused() && (explained || !is_payment)).then_some(*refused),
                (known.is_undone() && (orchestrated || is_payment)).then_some(undo.done),
            ),
            Phase::Fulfilment { .. } => (None, None),
        };
        [done, refused, undone]
    });
    consumed.flatten().collect()
}
