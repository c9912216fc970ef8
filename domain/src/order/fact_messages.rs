//! The messages that facts of an order send.

use super::facts::Fact;
use super::payment_news::PaymentFact;
use super::saga::Saga;
use super::step_state::StepChange;
use super::steps::{Phase, Step, Trigger};
use crate::messages::{Flow, OrderMessage, OrderNotice, Payload};

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

/// The number of the message that a fact sends: each page has its own notice, all else is said once.
pub fn number(fact: &Fact) -> u32 {
    match fact {
        Fact::Payment(PaymentFact::Page(known)) => known.number,
        _ => 0,
    }
}

fn payload_of(saga: &Saga, fact: &Fact) -> Option<Payload> {
    match fact {
        Fact::Placed => Some(Payload::Order(OrderMessage::Created(saga.details.clone()))),
        Fact::Step(step, change) => step_payload(saga, *step, change),
        Fact::Payment(PaymentFact::Page(known)) => {
            let notice = OrderNotice { payment: Some(known.page.clone()), ..notice(saga) };
            Some(Payload::Order(OrderMessage::PaymentRequired(notice)))
        }
        Fact::CancelAsked { failure } => {
            Some(Payload::Order(OrderMessage::CancelRequested(failure.clone())))
        }
        Fact::Confirmed => Some(Payload::Order(OrderMessage::Confirmed(notice(saga)))),
        Fact::Closed => Some(Payload::Order(OrderMessage::Cancelled(notice(saga)))),
        Fact::Payment(
            PaymentFact::Updated(_) | PaymentFact::Refunded(_) | PaymentFact::Attention(_),
        )
        | Fact::Stuck { .. }
        | Fact::SeenTo
        | Fact::RetryAsked
        | Fact::Stale { .. } => None,
    }
}

fn step_payload(saga: &Saga, step: Step, change: &StepChange) -> Option<Payload> {
    let spec = step.spec();
    match (change, &spec.phase) {
        (StepChange::Sent, _) => Some((spec.action.command)(&saga.details, saga.created_at)),
        (StepChange::UndoSent, Phase::Plan { undo, .. }) => {
            Some((undo.command)(&saga.details, saga.created_at))
        }
        (
            StepChange::Requested,
            Phase::Fulfilment { trigger: Trigger::Request { event, .. }, .. },
        ) => Some(event(&saga.details)),
        (StepChange::Done(_), Phase::Fulfilment { notice: message, .. }) => {
            message.map(|message| Payload::Order(message(notice(saga))))
        }
        _ => None,
    }
}

fn notice(saga: &Saga) -> OrderNotice {
    OrderNotice {
        customer_id: saga.details.customer_id.clone(),
        contact: saga.details.contact.clone(),
        total: saga.details.total(),
        priority: saga.details.priority,
        tracking_code: saga.facts.shipment().map(|shipment| shipment.tracking_code.clone()),
        failure: saga.facts.failure().cloned(),
        payment: None,
    }
}
