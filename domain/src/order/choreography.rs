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
use super::step_state::StepChange;
use super::steps::{FULFILMENT, Step, Trigger, steps};
use crate::messages::{OrderMessage, Payload, Plan, Refusal};

/// The reason of an order whose payment was reversed before a reason was known.
pub const PAYMENT_REVERSED: &str = "payment_reversed";

/// True when the payment is reversed and the reason is not known yet: the order neither goes on nor ends.
pub fn is_unexplained(facts: &Facts) -> bool {
    facts.step(Step::Payment).is_undone() && !facts.is_failing()
}

/// The fact that is recorded when the reason did not arrive in time.
pub fn unexplained() -> Fact {
    Fact::Step(Step::Payment, StepChange::Refused(Refusal::because(PAYMENT_REVERSED)))
}

/// The facts that follow for a failing order. They send only the notice of its end: the services undo each
/// other's steps, the last step of the chain first.
pub(super) fn next_undoing(facts: &Facts) -> Vec<Fact> {
    let backwards = steps(Plan::PaymentFirst).into_iter().rev();
    if facts.step(Step::Payment).has_nothing_to_undo() {
        // `payment.reversed` is only said in answer to `inventory.failed` or `inventory.released`, and
        // stock is released only once there is no parcel: all of it is undone, or will never be done.
        let open = backwards.filter(|step| !facts.step(*step).has_nothing_to_undo());
        return open
            .map(|step| Fact::Step(step, StepChange::Undone))
            .chain([Fact::Closed])
            .collect();
    }
    let shipping = facts.step(Step::Shipping);
    if facts.refused_step().is_none() && !shipping.is_undo_sent() {
        // Whether there is a parcel or not: `order.cancel_requested` has shipping begin the chain.
        return vec![Fact::Step(Step::Shipping, StepChange::UndoSent)];
    }
    if !shipping.has_nothing_to_undo() {
        return Vec::new();
    }
    let open = backwards.filter(|step| facts.step(*step).needs_undo());
    open.map(|step| Fact::Step(step, StepChange::UndoSent)).collect()
}

/// The event that makes the chain continue from wherever it stopped when it is sent again: every service answers
/// with its latest outcome.
pub(super) fn moves_on(saga: &Saga) -> Option<Payload> {
    let facts = &saga.facts;
    let created = || Some(Payload::Order(OrderMessage::Created(saga.details.clone())));
    match facts.failure() {
        _ if facts.is_closed() => None,
        Some(_) if facts.refused_step().is_some() => created(),
        Some(failure) => Some(Payload::Order(OrderMessage::CancelRequested(failure.clone()))),
        None if facts.confirmed_at.is_none() => created(),
        None => {
            let open = FULFILMENT.into_iter().find(|step| !facts.step(*step).is_done())?.leader();
            match open.trigger()? {
                Trigger::Request { event, .. } if facts.step(open).is_started() => {
                    Some(event(&saga.details))
                }
                Trigger::Request { .. } | Trigger::Previous => None,
            }
        }
    }
}
