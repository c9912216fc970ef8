//! The choreographed flow: nobody sends commands, and the saga follows what the services say to each other.
//!
//! ```text
//! order.created ─▶ payment.approved ─▶ inventory.reserved ─▶ shipping.scheduled     CONFIRMED
//!                        │                   │                     │
//!                  payment.failed     inventory.failed       shipping.failed ◀─ order.cancel_requested
//!                        │                   │                     ▼
//!                        │                   │              inventory.released
//!                        │                   ▼                     │
//!                        │            payment.reversed ◀───────────┘
//!                        ▼                   ▼
//!                    CANCELLED           CANCELLED
//! ```
//!
//! The chain begins with the payment, so that it ends with it: a payment that was refused, or reversed, is
//! the last word of an order that must end, whatever else was heard of it. Each kind of event has a queue
//! of its own, so that they are heard in any order.

use super::facts::{Fact, Facts};
use super::saga::Saga;
use crate::messages::{OrderMessage, Payload, Refusal, Step};

/// The reason of an order whose money went back before anybody said why.
pub const PAYMENT_REVERSED: &str = "payment_reversed";

/// True when the money is back, and why is still to be heard: the order neither goes on nor ends.
pub fn is_unexplained(facts: &Facts) -> bool {
    facts.payment.undone && !facts.is_failing()
}

/// What becomes known when nobody has said why in time.
pub fn unexplained() -> Fact {
    let refusal = Refusal::because(PAYMENT_REVERSED);
    Fact::StepRefused { step: Step::Payment, refusal }
}

/// What a failing order comes to by what is known. Nothing of it sends anything but the end's notice: the
/// services undo each other's steps.
pub(super) fn next_undoing(facts: &Facts) -> Vec<Fact> {
    let unasked = |step: Step| !facts.step(step).is_settled() && !facts.step(step).undo_sent;
    if facts.payment.is_settled() {
        // `payment.reversed` is only said in answer to `inventory.failed` or `inventory.released`, and
        // stock is released only once there is no parcel: all of it is undone, or will never be done.
        let mut facts: Vec<Fact> = [Step::Shipping, Step::Inventory]
            .into_iter()
            .filter(|step| !facts.step(*step).is_settled())
            .map(|step| Fact::StepUndone { step })
            .collect();
        facts.push(Fact::Closed);
        return facts;
    }
    let was_refused = facts.failed_step.is_some();
    if !was_refused && !facts.shipping.undo_sent {
        // Whether there is a parcel or not: `order.cancel_requested` has shipping begin the chain.
        return vec![Fact::UndoSent { step: Step::Shipping }];
    }
    if !facts.shipping.is_settled() {
        return Vec::new();
    }
    let undone = [Step::Inventory, Step::Payment].into_iter().filter(|step| unasked(*step));
    undone.map(|step| Fact::UndoSent { step }).collect()
}

/// The event that, said again, makes the chain move on from wherever it stopped: every service answers
/// with its latest outcome.
pub(super) fn moves_on(saga: &Saga) -> Option<Payload> {
    let facts = &saga.facts;
    let created = || Some(Payload::Order(OrderMessage::Created(saga.details.clone())));
    match &facts.failure {
        _ if facts.closed => None,
        Some(_) if facts.failed_step.is_some() => created(),
        Some(failure) => Some(Payload::Order(OrderMessage::CancelRequested(failure.clone()))),
        None if facts.confirmed_at.is_none() => created(),
        None if facts.dispatch_asked && !facts.committed => {
            Some(Payload::Order(OrderMessage::DispatchRequested))
        }
        None if facts.delivery_asked && facts.delivered_at.is_none() => {
            Some(Payload::Order(OrderMessage::DeliveryConfirmed))
        }
        None => None,
    }
}
