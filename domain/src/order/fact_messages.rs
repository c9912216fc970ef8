//! What an order says to others when it learns something.

use super::facts::Fact;
use super::saga::Saga;
use super::steps::{command, undo};
use crate::messages::{
    Flow, InventoryMessage, OrderMessage, OrderNotice, Payload, ShippingMessage,
};

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
        Fact::Placed => Some(Payload::Order(OrderMessage::Created(saga.details.clone()))),
        Fact::StepSent { step } => Some(command(*step, &saga.details)),
        Fact::UndoSent { step } => Some(undo(*step)),
        Fact::CancelAsked { failure } => {
            Some(Payload::Order(OrderMessage::CancelRequested(failure.clone())))
        }
        Fact::Confirmed => Some(Payload::Order(OrderMessage::Confirmed(notice(saga)))),
        Fact::DispatchAsked => Some(Payload::Order(OrderMessage::DispatchRequested)),
        Fact::DispatchSent => Some(Payload::Shipping(ShippingMessage::Dispatch)),
        Fact::CommitSent => Some(Payload::Inventory(InventoryMessage::Commit)),
        Fact::StockCommitted => Some(Payload::Order(OrderMessage::Shipped(notice(saga)))),
        Fact::DeliveryAsked => Some(Payload::Order(OrderMessage::DeliveryConfirmed)),
        Fact::DeliverSent => Some(Payload::Shipping(ShippingMessage::Deliver)),
        Fact::Delivered => Some(Payload::Order(OrderMessage::Completed(notice(saga)))),
        Fact::Closed => Some(Payload::Order(OrderMessage::Cancelled(notice(saga)))),
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
