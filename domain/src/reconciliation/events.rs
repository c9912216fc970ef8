//! Which events an order's way has caused: what the audit must have, and what the customer must have heard.

use super::records::OrderRecord;
use crate::messages::{Flow, Kind};
use crate::order::choreography::PAYMENT_REVERSED;

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
        // What ends an order is the refusal of a step, or somebody's wish.
        Kind::OrderCancelRequested => facts.is_failing() && facts.failed_step.is_none(),
        Kind::OrderDispatchRequested => facts.dispatch_asked,
        Kind::OrderShipped => facts.committed,
        Kind::OrderDeliveryConfirmed => facts.delivery_asked,
        Kind::OrderCompleted => facts.delivered_at.is_some(),
        Kind::OrderCancelled => facts.closed,
        _ => false,
    }
}

/// The events of other services that the order service must have heard to know what it knows.
pub(super) fn consumed(order: &OrderRecord) -> Vec<Kind> {
    let facts = &order.facts;
    // Choreographed, that a step is undone may be concluded from another's undoing; and the refusal of a payment
    // may stand for a reversal that nobody explained.
    let orchestrated = order.flow == Flow::Orchestrated;
    let explained = facts.failure.as_ref().is_none_or(|why| why.reason != PAYMENT_REVERSED);
    [
        (facts.inventory.done, Kind::InventoryReserved),
        (facts.inventory.refused, Kind::InventoryFailed),
        (facts.inventory.undone && orchestrated, Kind::InventoryReleased),
        (facts.payment.done, Kind::PaymentApproved),
        (facts.payment.refused && explained, Kind::PaymentFailed),
        (facts.payment.undone, Kind::PaymentReversed),
        (facts.shipping.done, Kind::ShippingScheduled),
        (facts.shipping.refused, Kind::ShippingFailed),
        (facts.shipping.undone && orchestrated, Kind::ShippingFailed),
        (facts.dispatched_at.is_some(), Kind::ShippingDispatched),
        (facts.committed, Kind::InventoryCommitted),
        (facts.delivered_at.is_some(), Kind::ShippingDelivered),
    ]
    .into_iter()
    .filter_map(|(known, kind)| known.then_some(kind))
    .collect()
}
