//! What is known of an order. Facts only ever accumulate; nothing here says what to do about them.

use crate::clock::Timestamp;
use crate::messages::{Failure, Kind, PaymentApproved, Refusal, ShipmentScheduled, Step};
use crate::planted::{Bug, planted};
use serde::{Deserialize, Serialize};

/// One thing that became known, or was decided. What a history row holds, and what replays it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// The order was accepted.
    Placed,
    /// The step's command was sent.
    StepSent {
        /// Which step.
        step: Step,
    },
    /// The stock is reserved.
    Reserved,
    /// The money is taken.
    Paid {
        /// What the gateway said.
        payment: PaymentApproved,
    },
    /// The parcel is scheduled.
    Scheduled {
        /// What the carrier said.
        shipment: ShipmentScheduled,
    },
    /// The step was refused.
    StepRefused {
        /// Which step.
        step: Step,
        /// Why.
        refusal: Refusal,
    },
    /// The step's undoing was sent.
    UndoSent {
        /// Which step.
        step: Step,
    },
    /// The step is undone, or will never be done.
    StepUndone {
        /// Which step.
        step: Step,
    },
    /// The customer, or the deadline, wants it to end.
    CancelAsked {
        /// Who and why.
        failure: Failure,
    },
    /// All steps are done.
    Confirmed,
    /// The parcel may leave.
    DispatchAsked,
    /// Shipping was told so.
    DispatchSent,
    /// The parcel has left.
    Dispatched,
    /// Inventory was told so.
    CommitSent,
    /// The stock has left.
    StockCommitted,
    /// The customer said that it arrived.
    DeliveryAsked,
    /// Shipping was told so.
    DeliverSent,
    /// Shipping has noted it.
    Delivered,
    /// Everything that was done is undone.
    Closed,
    /// The compensation takes longer than it may: a person should look.
    Stuck {
        /// What is the matter.
        reason: String,
    },
    /// A person asked for another try.
    RetryAsked,
    /// A message that no longer says anything.
    Stale {
        /// Which.
        kind: Kind,
    },
}

/// What is known of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFacts {
    /// Its command was sent: from here on it counts as done until it is refused or undone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sent: bool,
    /// It was answered: done.
    #[serde(default, skip_serializing_if = "is_false")]
    pub done: bool,
    /// It was answered: refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub refused: bool,
    /// Its undoing was sent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub undo_sent: bool,
    /// Its undoing was answered.
    #[serde(default, skip_serializing_if = "is_false")]
    pub undone: bool,
}

impl StepFacts {
    /// True when nothing of it is left to undo.
    pub fn is_settled(&self) -> bool {
        let asked =
            self.undo_sent || if planted(Bug::UndoAnsweredOnly) { self.done } else { self.sent };
        !asked || self.refused || self.undone
    }

    /// True while its command is sent and not answered.
    pub fn is_awaited(&self) -> bool {
        self.sent && !self.done && !self.refused
    }
}

/// Everything that is known of an order's way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The stock.
    pub inventory: StepFacts,
    /// The money.
    pub payment: StepFacts,
    /// The parcel.
    pub shipping: StepFacts,
    /// What the gateway said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid: Option<PaymentApproved>,
    /// What the carrier said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentScheduled>,
    /// Why it must end, by what became known first. Some: the order must end as cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Since when it is being undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// The step that was refused first, when one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_step: Option<Step>,
    /// When all steps were done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// Dispatch was asked for.
    #[serde(skip_serializing_if = "is_false")]
    pub dispatch_asked: bool,
    /// Shipping was told.
    #[serde(skip_serializing_if = "is_false")]
    pub dispatch_sent: bool,
    /// When the parcel left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatched_at: Option<Timestamp>,
    /// Inventory was told.
    #[serde(skip_serializing_if = "is_false")]
    pub commit_sent: bool,
    /// The stock has left.
    #[serde(skip_serializing_if = "is_false")]
    pub committed: bool,
    /// The customer has confirmed.
    #[serde(skip_serializing_if = "is_false")]
    pub delivery_asked: bool,
    /// Shipping was told.
    #[serde(skip_serializing_if = "is_false")]
    pub deliver_sent: bool,
    /// When shipping noted the delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// Undone for good.
    #[serde(skip_serializing_if = "is_false")]
    pub closed: bool,
    /// What is the matter, when a person should look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stuck: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Facts {
    /// What is known of a step.
    pub fn step(&self, step: Step) -> &StepFacts {
        match step {
            Step::Inventory => &self.inventory,
            Step::Payment => &self.payment,
            Step::Shipping => &self.shipping,
        }
    }

    fn step_mut(&mut self, step: Step) -> &mut StepFacts {
        match step {
            Step::Inventory => &mut self.inventory,
            Step::Payment => &mut self.payment,
            Step::Shipping => &mut self.shipping,
        }
    }

    /// True when the order must end as cancelled.
    pub fn is_failing(&self) -> bool {
        self.failure.is_some()
    }

    /// Learns a fact.
    pub fn apply(&mut self, fact: &Fact, at: Timestamp) {
        match fact {
            Fact::Placed | Fact::RetryAsked | Fact::Stale { .. } => {}
            Fact::StepSent { step } => self.step_mut(*step).sent = true,
            Fact::Reserved => self.inventory.done = true,
            Fact::Paid { payment } => {
                self.payment.done = true;
                self.paid = Some(payment.clone());
            }
            Fact::Scheduled { shipment } => {
                self.shipping.done = true;
                self.shipment = Some(shipment.clone());
            }
            Fact::StepRefused { step, refusal } => {
                self.step_mut(*step).refused = true;
                if self.failure.is_none() {
                    self.failed_step = Some(*step);
                }
                self.fail(refused(*step, refusal), at);
            }
            Fact::UndoSent { step } => self.step_mut(*step).undo_sent = true,
            Fact::StepUndone { step } => self.step_mut(*step).undone = true,
            Fact::CancelAsked { failure } => self.fail(failure.clone(), at),
            Fact::Confirmed => self.confirmed_at = Some(at),
            Fact::DispatchAsked => self.dispatch_asked = true,
            Fact::DispatchSent => self.dispatch_sent = true,
            Fact::Dispatched => self.dispatched_at = Some(at),
            Fact::CommitSent => self.commit_sent = true,
            Fact::StockCommitted => self.committed = true,
            Fact::DeliveryAsked => self.delivery_asked = true,
            Fact::DeliverSent => self.deliver_sent = true,
            Fact::Delivered => self.delivered_at = Some(at),
            Fact::Closed => {
                self.closed = true;
                self.stuck = None;
            }
            Fact::Stuck { reason } => self.stuck = Some(reason.clone()),
        }
    }

    fn fail(&mut self, failure: Failure, at: Timestamp) {
        if self.failure.is_none() {
            self.failure = Some(failure);
            self.failing_since = Some(at);
        }
    }
}

fn refused(step: Step, refusal: &Refusal) -> Failure {
    Failure {
        step: step.as_str().to_owned(),
        reason: refusal.reason.clone(),
        shortages: refusal.shortages.clone(),
    }
}
