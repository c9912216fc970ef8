//! What an order makes of what it is told: facts, or a refusal. Pure.

use super::deadlines::decide_due;
use super::decision::SagaDecision;
use super::facts::Fact;
use super::saga::{Saga, SagaPolicy};
use super::status::OrderStatus;
use super::steps::awaited;
use crate::clock::Timestamp;
use crate::messages::{
    Failure, Flow, InventoryMessage, Kind, Message, Payload, PaymentMessage, Refusal,
    ShippingMessage, Step,
};
use crate::planted::{Bug, planted};
use std::time::Duration;

/// What an existing order is told.
#[derive(Clone, Copy, Debug)]
pub enum DecideInput<'a> {
    /// A service's answer.
    Message(&'a Message),
    /// The customer wants it to end.
    Cancel,
    /// The parcel may leave.
    Dispatch,
    /// The customer has it.
    Deliver,
    /// Its time has come.
    Due {
        /// How far behind our own work is.
        lag: Duration,
    },
    /// A person asks for another try.
    Retry,
}

/// Decides what becomes known.
pub fn decide(
    saga: &Saga,
    input: DecideInput<'_>,
    now: Timestamp,
    policy: &SagaPolicy,
) -> SagaDecision {
    match input {
        DecideInput::Message(message) => decide_service_answer(saga, message),
        DecideInput::Cancel => cancel(saga),
        DecideInput::Dispatch => dispatch(saga),
        DecideInput::Deliver => deliver(saga),
        DecideInput::Due { lag } => decide_due(saga, now, lag, policy),
        DecideInput::Retry => retry(saga),
    }
}

/// What stands for the failed step where no step failed: the customer has cancelled the order.
pub const BY_CUSTOMER: &str = "customer";

/// Cancelled by the customer: until dispatch was asked, at any moment.
fn cancel(saga: &Saga) -> SagaDecision {
    let facts = &saga.facts;
    if facts.dispatch_asked && !planted(Bug::CancelDispatched) {
        return SagaDecision::Conflict(
            "the order cannot be cancelled: its dispatch is already requested",
        );
    }
    if facts.is_failing() {
        return SagaDecision::Known;
    }
    let failure = Failure {
        step: BY_CUSTOMER.to_owned(),
        reason: "cancelled_by_customer".to_owned(),
        shortages: Vec::new(),
    };
    SagaDecision::Learned(vec![Fact::CancelAsked { failure }])
}

fn dispatch(saga: &Saga) -> SagaDecision {
    if saga.facts.dispatch_asked {
        return SagaDecision::Known;
    }
    match saga.status() {
        OrderStatus::Confirmed if saga.facts.is_failing() => {
            SagaDecision::Conflict("the order cannot be dispatched: it is being cancelled")
        }
        OrderStatus::Confirmed => SagaDecision::Learned(vec![Fact::DispatchAsked]),
        _ => SagaDecision::Conflict("only a CONFIRMED order can be dispatched"),
    }
}

fn deliver(saga: &Saga) -> SagaDecision {
    if saga.facts.delivery_asked {
        return SagaDecision::Known;
    }
    match saga.status() {
        OrderStatus::Shipped => SagaDecision::Learned(vec![Fact::DeliveryAsked]),
        _ => SagaDecision::Conflict("only a SHIPPED order can be confirmed as delivered"),
    }
}

fn retry(saga: &Saga) -> SagaDecision {
    if awaited(&saga.facts, saga.origin.plan).is_empty() {
        return SagaDecision::Conflict("nothing to retry: the saga is not waiting for a service");
    }
    SagaDecision::Resend(vec![Fact::RetryAsked])
}

/// A service has answered. Every pair of answer and facts has its line here: what is known already is
/// known, what comes too late is only recorded, what cannot be raises an alarm.
///
/// Choreographed, the services go on without the saga: an answer may be heard before the one that it
/// followed.
fn decide_service_answer(saga: &Saga, message: &Message) -> SagaDecision {
    let facts = &saga.facts;
    let kind = message.kind();
    let follows = saga.origin.flow == Flow::Choreographed;
    // What is answered was asked for, heard of or not.
    let asked = |step: Step, fact: Fact| {
        let sent = (!facts.step(step).sent).then_some(Fact::StepSent { step });
        SagaDecision::Learned(sent.into_iter().chain([fact]).collect())
    };
    let stale = || SagaDecision::Learned(vec![Fact::Stale { kind }]);
    let forward = |step: Step, fact: Fact| {
        let known = facts.step(step);
        match () {
            () if known.done => SagaDecision::Known,
            // Refused or undone first: its late original changes nothing.
            () if known.refused || known.undone || facts.closed => stale(),
            () => asked(step, fact),
        }
    };
    let refused = |step: Step, refusal: &Refusal| {
        let known = facts.step(step);
        match () {
            () if known.refused => SagaDecision::Known,
            () if known.undone || facts.closed => stale(),
            () if known.done && !known.undo_sent => {
                impossible(kind, "a completed step was reported as refused")
            }
            () => asked(step, Fact::StepRefused { step, refusal: refusal.clone() }),
        }
    };
    let undone = |step: Step| {
        let known = facts.step(step);
        match () {
            () if known.undone => SagaDecision::Known,
            () if facts.closed => stale(),
            // Its cause may be heard later, but not of an order for which everything was done.
            () if follows && (facts.is_failing() || facts.confirmed_at.is_none()) => {
                SagaDecision::Learned(vec![Fact::StepUndone { step }])
            }
            () if !known.undo_sent => impossible(kind, "a step was compensated without a command"),
            () => SagaDecision::Learned(vec![Fact::StepUndone { step }]),
        }
    };
    match &message.payload {
        Payload::Inventory(InventoryMessage::Reserved(_)) => {
            forward(Step::Inventory, Fact::Reserved)
        }
        Payload::Payment(PaymentMessage::Approved(payment)) => {
            forward(Step::Payment, Fact::Paid { payment: payment.clone() })
        }
        Payload::Shipping(ShippingMessage::Scheduled(shipment)) => {
            forward(Step::Shipping, Fact::Scheduled { shipment: shipment.clone() })
        }
        Payload::Inventory(InventoryMessage::Failed(refusal)) => refused(Step::Inventory, refusal),
        Payload::Payment(PaymentMessage::Failed(refusal)) => refused(Step::Payment, refusal),
        // The one name that answers both the step and its undoing.
        Payload::Shipping(ShippingMessage::Failed(_)) if facts.shipping.undo_sent => {
            undone(Step::Shipping)
        }
        Payload::Shipping(ShippingMessage::Failed(refusal)) => refused(Step::Shipping, refusal),
        Payload::Inventory(InventoryMessage::Released) => undone(Step::Inventory),
        Payload::Payment(PaymentMessage::Reversed) => undone(Step::Payment),
        Payload::Shipping(ShippingMessage::Dispatched) => match () {
            () if facts.dispatched_at.is_some() => SagaDecision::Known,
            () if !facts.dispatch_sent => {
                impossible(kind, "a parcel was dispatched without a command")
            }
            () => SagaDecision::Learned(vec![Fact::Dispatched]),
        },
        Payload::Inventory(InventoryMessage::Committed) => match () {
            () if facts.committed => SagaDecision::Known,
            // Stock only leaves with its parcel.
            () if follows && facts.dispatch_sent && !facts.commit_sent => {
                let learned = [Fact::Dispatched, Fact::CommitSent, Fact::StockCommitted];
                SagaDecision::Learned(learned.into())
            }
            () if !facts.commit_sent => impossible(kind, "stock was committed without a command"),
            () => SagaDecision::Learned(vec![Fact::StockCommitted]),
        },
        Payload::Shipping(ShippingMessage::Delivered) => match () {
            () if facts.delivered_at.is_some() => SagaDecision::Known,
            () if !facts.deliver_sent => {
                impossible(kind, "a parcel was delivered without a command")
            }
            () => SagaDecision::Learned(vec![Fact::Delivered]),
        },
        Payload::Inventory(
            InventoryMessage::Reserve(_) | InventoryMessage::Release | InventoryMessage::Commit,
        )
        | Payload::Payment(PaymentMessage::Process(_) | PaymentMessage::Refund)
        | Payload::Shipping(
            ShippingMessage::Schedule(_)
            | ShippingMessage::Cancel
            | ShippingMessage::Dispatch
            | ShippingMessage::Deliver,
        )
        | Payload::Order(_)
        | Payload::Notification(_) => SagaDecision::Known,
    }
}

/// Cannot happen while every service keeps its promises: an alarm, recorded once.
fn impossible(kind: Kind, what: &str) -> SagaDecision {
    SagaDecision::Learned(vec![Fact::Stale { kind }, Fact::Stuck { reason: what.to_owned() }])
}
