//! What an order makes of what it is told: facts, or a refusal. Pure.

use super::advance::awaited;
use super::due::look;
use super::facts::Fact;
use super::saga::{Saga, SagaPolicy};
use super::status::OrderStatus;
use crate::clock::Timestamp;
use crate::messages::{Failure, Flow, Kind, Message, Payload, Refusal, Step};
use crate::planted::{Bug, planted};
use std::time::Duration;

/// What an existing order is told.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
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

/// What comes of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This became known.
    Learned(Vec<Fact>),
    /// Nothing new; the asker is told that all is well.
    Known,
    /// This became known, and what is awaited is to be asked for again.
    Resend(Vec<Fact>),
    /// What is awaited is merely late: it is not asked for again yet.
    Postponed,
    /// What was asked is not possible in this status.
    Conflict(&'static str),
}

/// Decides what becomes known.
pub fn decide(saga: &Saga, told: Told<'_>, now: Timestamp, policy: &SagaPolicy) -> Verdict {
    match told {
        Told::Message(message) => answered(saga, message),
        Told::Cancel => cancel(saga),
        Told::Dispatch => dispatch(saga),
        Told::Deliver => deliver(saga),
        Told::Due { lag } => look(saga, now, lag, policy),
        Told::Retry => retry(saga),
    }
}

/// What stands for the failed step where no step failed: the customer has cancelled the order.
pub const BY_CUSTOMER: &str = "customer";

/// Cancelled by the customer: until dispatch was asked, at any moment.
fn cancel(saga: &Saga) -> Verdict {
    let facts = &saga.facts;
    if facts.dispatch_asked && !planted(Bug::CancelDispatched) {
        return Verdict::Conflict(
            "dispatch was asked for already, so the order can no longer be cancelled",
        );
    }
    if facts.is_doomed() {
        return Verdict::Known;
    }
    let failure = Failure {
        step: BY_CUSTOMER.to_owned(),
        reason: "cancelled_by_customer".to_owned(),
        shortages: Vec::new(),
    };
    Verdict::Learned(vec![Fact::CancelAsked { failure }])
}

fn dispatch(saga: &Saga) -> Verdict {
    if saga.facts.dispatch_asked {
        return Verdict::Known;
    }
    match saga.status() {
        OrderStatus::Confirmed if saga.facts.is_doomed() => {
            Verdict::Conflict("the order is being cancelled, so it can no longer be dispatched")
        }
        OrderStatus::Confirmed => Verdict::Learned(vec![Fact::DispatchAsked]),
        _ => Verdict::Conflict("only a CONFIRMED order can be dispatched"),
    }
}

fn deliver(saga: &Saga) -> Verdict {
    if saga.facts.delivery_asked {
        return Verdict::Known;
    }
    match saga.status() {
        OrderStatus::Shipped => Verdict::Learned(vec![Fact::DeliveryAsked]),
        _ => Verdict::Conflict("only a SHIPPED order can be confirmed as delivered"),
    }
}

fn retry(saga: &Saga) -> Verdict {
    if awaited(&saga.facts, saga.origin.plan).is_empty() {
        return Verdict::Conflict(
            "the saga waits for no service, so there is nothing to try again",
        );
    }
    Verdict::Resend(vec![Fact::RetryAsked])
}

/// A service has answered. Every pair of answer and facts has its line here: what is known already is
/// known, what comes too late is only recorded, what cannot be raises an alarm.
///
/// Choreographed, the services go on without the saga: an answer may be heard before the one that it
/// followed.
fn answered(saga: &Saga, message: &Message) -> Verdict {
    let facts = &saga.facts;
    let kind = message.kind();
    let follows = saga.origin.flow == Flow::Choreographed;
    // What is answered was asked for, heard of or not.
    let asked = |step: Step, fact: Fact| {
        let sent = (!facts.step(step).sent).then_some(Fact::StepSent { step });
        Verdict::Learned(sent.into_iter().chain([fact]).collect())
    };
    let stale = || Verdict::Learned(vec![Fact::Stale { kind }]);
    let forward = |step: Step, fact: Fact| {
        let known = facts.step(step);
        match () {
            () if known.done => Verdict::Known,
            // Refused or undone first: its late original changes nothing.
            () if known.refused || known.undone || facts.closed => stale(),
            () => asked(step, fact),
        }
    };
    let refused = |step: Step, refusal: &Refusal| {
        let known = facts.step(step);
        match () {
            () if known.refused => Verdict::Known,
            () if known.undone || facts.closed => stale(),
            () if known.done && !known.undo_sent => {
                impossible(kind, "a step that was done is reported as refused")
            }
            () => asked(step, Fact::StepRefused { step, refusal: refusal.clone() }),
        }
    };
    let undone = |step: Step| {
        let known = facts.step(step);
        match () {
            () if known.undone => Verdict::Known,
            () if facts.closed => stale(),
            // Its cause may be heard later, but not of an order for which everything was done.
            () if follows && (facts.is_doomed() || facts.confirmed_at.is_none()) => {
                Verdict::Learned(vec![Fact::StepUndone { step }])
            }
            () if !known.undo_sent => {
                impossible(kind, "a step was undone that nobody asked to undo")
            }
            () => Verdict::Learned(vec![Fact::StepUndone { step }]),
        }
    };
    match &message.payload {
        Payload::InventoryReserved(_) => forward(Step::Inventory, Fact::Reserved),
        Payload::PaymentApproved(payment) => {
            forward(Step::Payment, Fact::Paid { payment: payment.clone() })
        }
        Payload::ShippingScheduled(shipment) => {
            forward(Step::Shipping, Fact::Scheduled { shipment: shipment.clone() })
        }
        Payload::InventoryFailed(refusal) => refused(Step::Inventory, refusal),
        Payload::PaymentFailed(refusal) => refused(Step::Payment, refusal),
        // The one name that answers both the step and its undoing.
        Payload::ShippingFailed(_) if facts.shipping.undo_sent => undone(Step::Shipping),
        Payload::ShippingFailed(refusal) => refused(Step::Shipping, refusal),
        Payload::InventoryReleased => undone(Step::Inventory),
        Payload::PaymentReversed => undone(Step::Payment),
        Payload::ShippingDispatched => match () {
            () if facts.dispatched_at.is_some() => Verdict::Known,
            () if !facts.dispatch_sent => {
                impossible(kind, "a parcel left that nobody asked to dispatch")
            }
            () => Verdict::Learned(vec![Fact::Dispatched]),
        },
        Payload::InventoryCommitted => match () {
            () if facts.committed => Verdict::Known,
            // Stock only leaves with its parcel.
            () if follows && facts.dispatch_sent && !facts.commit_sent => {
                let learned = [Fact::Dispatched, Fact::CommitSent, Fact::StockCommitted];
                Verdict::Learned(learned.into())
            }
            () if !facts.commit_sent => impossible(kind, "stock left that nobody asked to commit"),
            () => Verdict::Learned(vec![Fact::StockCommitted]),
        },
        Payload::ShippingDelivered => match () {
            () if facts.delivered_at.is_some() => Verdict::Known,
            () if !facts.deliver_sent => {
                impossible(kind, "a parcel arrived that nobody said had arrived")
            }
            () => Verdict::Learned(vec![Fact::Delivered]),
        },
        Payload::OrderCreated(_)
        | Payload::OrderConfirmed(_)
        | Payload::OrderShipped(_)
        | Payload::OrderCompleted(_)
        | Payload::OrderCancelled(_)
        | Payload::OrderCancelRequested(_)
        | Payload::OrderDispatchRequested
        | Payload::OrderDeliveryConfirmed
        | Payload::InventoryReserve(_)
        | Payload::InventoryRelease
        | Payload::InventoryCommit
        | Payload::PaymentProcess(_)
        | Payload::PaymentRefund
        | Payload::ShippingSchedule(_)
        | Payload::ShippingCancel
        | Payload::ShippingDispatch
        | Payload::ShippingDeliver
        | Payload::NotificationSend(_) => Verdict::Known,
    }
}

/// Cannot happen while every service keeps its promises: an alarm, recorded once.
fn impossible(kind: Kind, what: &str) -> Verdict {
    Verdict::Learned(vec![Fact::Stale { kind }, Fact::Stuck { reason: what.to_owned() }])
}
