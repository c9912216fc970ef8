//! What an order says to others when it learns something.

use super::facts::Fact;
use super::saga::Saga;
use super::steps::{command, undo};
use crate::messages::{Flow, OrderNotice, Payload};

/// The message that a fact sends, if it sends one. The saga knows the fact already.
///
/// Choreographed, there are no commands: what the order itself says is what others react to.
pub fn payload(saga: &Saga, fact: &Fact) -> Option<Payload> {
    let payload = payload_of(saga, fact)?;
    match saga.origin.flow {
        Flow::Orchestrated => Some(payload),
        Flow::Choreographed => payload.kind().is_event().then_some(payload),
    }
}

fn payload_of(saga: &Saga, fact: &Fact) -> Option<Payload> {
    match fact {
        Fact::Placed => Some(Payload::OrderCreated(saga.details.clone())),
        Fact::StepSent { step } => Some(command(*step, &saga.details)),
        Fact::UndoSent { step } => Some(undo(*step)),
        Fact::CancelAsked { failure } => Some(Payload::OrderCancelRequested(failure.clone())),
        Fact::Confirmed => Some(Payload::OrderConfirmed(notice(saga))),
        Fact::DispatchAsked => Some(Payload::OrderDispatchRequested),
        Fact::DispatchSent => Some(Payload::ShippingDispatch),
        Fact::CommitSent => Some(Payload::InventoryCommit),
        Fact::StockCommitted => Some(Payload::OrderShipped(notice(saga))),
        Fact::DeliveryAsked => Some(Payload::OrderDeliveryConfirmed),
        Fact::DeliverSent => Some(Payload::ShippingDeliver),
        Fact::Delivered => Some(Payload::OrderCompleted(notice(saga))),
        Fact::Closed => Some(Payload::OrderCancelled(notice(saga))),
        Fact::Reserved
        | Fact::Paid { .. }
        | Fact::Scheduled { .. }
        | Fact::StepRefused { .. }
        | Fact::StepUndone { .. }
        | Fact::Dispatched
        | Fact::Stuck { .. }
        | Fact::RetryAsked
        | Fact::Stale { .. } => None,
    }
}

fn notice(saga: &Saga) -> OrderNotice {
    OrderNotice {
        customer_id: saga.details.customer_id.clone(),
        contact: saga.details.contact.clone(),
        total: saga.details.total(),
        priority: saga.details.priority,
        tracking_code: saga.facts.shipment.as_ref().map(|shipment| shipment.tracking_code.clone()),
        failure: saga.facts.failure.clone(),
    }
}
