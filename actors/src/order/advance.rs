//! What an order does next, and what it waits for. Pure functions of its facts, its flow and its plan.
//!
//! In both flows the same facts are recorded, so that an order reads the same. Orchestrated, a step's fact
//! sends its command; choreographed, it sends nothing (see [`choreography`]).

use super::choreography;
use super::facts::{Fact, Facts};
use super::status::SagaStep;
use crate::messages::{Flow, Kind, OrderDetails, Origin, Payload, Plan, Step};
use crate::planted::{Bug, planted};

/// The steps of a plan, in their order. A step's undoing is its [`undo`].
pub const fn steps(plan: Plan) -> [Step; 3] {
    match plan {
        Plan::ReserveFirst => [Step::Inventory, Step::Payment, Step::Shipping],
        Plan::PaymentFirst => [Step::Payment, Step::Inventory, Step::Shipping],
    }
}

/// The command that takes a step.
pub fn command(step: Step, details: &OrderDetails) -> Payload {
    match step {
        Step::Inventory => Payload::InventoryReserve(details.stock_lines()),
        Step::Payment => Payload::PaymentProcess(details.payment()),
        Step::Shipping => Payload::ShippingSchedule(details.parcel()),
    }
}

/// The command that undoes a step.
pub const fn undo(step: Step) -> Payload {
    match step {
        Step::Inventory => Payload::InventoryRelease,
        Step::Payment => Payload::PaymentRefund,
        Step::Shipping => Payload::ShippingCancel,
    }
}

/// What is to be done next, given what is known. Empty: wait, or rest.
pub fn next(facts: &Facts, origin: &Origin) -> Vec<Fact> {
    match (facts.is_failing(), origin.flow) {
        _ if facts.closed => Vec::new(),
        (false, _) => next_forward(facts, origin.plan),
        (true, Flow::Orchestrated) => next_undoing(facts),
        (true, Flow::Choreographed) => choreography::next_undoing(facts),
    }
}

/// Shipping is undone first and alone: a parcel must not leave while its money goes back. Then money
/// and stock together. What was sent counts as done, answered or not.
fn next_undoing(facts: &Facts) -> Vec<Fact> {
    let unsent = |step: Step| !facts.step(step).is_settled() && !facts.step(step).undo_sent;
    if !facts.shipping.is_settled() {
        return if unsent(Step::Shipping) {
            vec![Fact::UndoSent { step: Step::Shipping }]
        } else {
            Vec::new()
        };
    }
    if planted(Bug::SkipRelease) && unsent(Step::Inventory) {
        return vec![Fact::StepUndone { step: Step::Inventory }];
    }
    let undo: Vec<Fact> = [Step::Payment, Step::Inventory]
        .into_iter()
        .filter(|step| unsent(*step))
        .map(|step| Fact::UndoSent { step })
        .collect();
    if undo.is_empty() && facts.payment.is_settled() && facts.inventory.is_settled() {
        return vec![Fact::Closed];
    }
    undo
}

fn next_forward(facts: &Facts, plan: Plan) -> Vec<Fact> {
    if choreography::is_unexplained(facts) {
        return Vec::new();
    }
    let unpaid = planted(Bug::ConfirmUnpaid) && facts.payment.sent;
    let is_done = |step: Step| facts.step(step).done || (unpaid && step == Step::Payment);
    if let Some(step) = steps(plan).into_iter().find(|step| !is_done(*step)) {
        return if facts.step(step).sent { Vec::new() } else { vec![Fact::StepSent { step }] };
    }
    let next = if facts.confirmed_at.is_none() {
        Fact::Confirmed
    } else if facts.dispatch_asked && !facts.dispatch_sent {
        Fact::DispatchSent
    } else if facts.dispatched_at.is_some() && !facts.commit_sent {
        Fact::CommitSent
    } else if facts.delivery_asked && !facts.deliver_sent {
        Fact::DeliverSent
    } else {
        return Vec::new();
    };
    vec![next]
}

/// What is asked of the services and not answered: it is asked again when its answer is late.
pub fn awaited(facts: &Facts, plan: Plan) -> Vec<Awaited> {
    if facts.closed {
        return Vec::new();
    }
    if facts.is_failing() {
        return [Step::Shipping, Step::Payment, Step::Inventory]
            .into_iter()
            .filter(|step| facts.step(*step).undo_sent && !facts.step(*step).is_settled())
            .map(Awaited::Undo)
            .collect();
    }
    let step = steps(plan).into_iter().find(|step| facts.step(*step).is_awaited());
    let fulfilment = [
        (facts.dispatch_sent && facts.dispatched_at.is_none(), Kind::ShippingDispatch),
        (facts.commit_sent && !facts.committed, Kind::InventoryCommit),
        (facts.deliver_sent && facts.delivered_at.is_none(), Kind::ShippingDeliver),
    ];
    step.map(Awaited::Step)
        .into_iter()
        .chain(
            fulfilment.into_iter().filter(|(open, _)| *open).map(|(_, kind)| Awaited::Late(kind)),
        )
        .collect()
}

/// Something whose answer is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// A step forward.
    Step(Step),
    /// A step's undoing.
    Undo(Step),
    /// Dispatch, commit or delivery.
    Late(Kind),
}

impl Awaited {
    /// Its command.
    pub fn command(self, details: &OrderDetails) -> Payload {
        match self {
            Self::Step(step) => command(step, details),
            Self::Undo(step) => undo(step),
            Self::Late(Kind::InventoryCommit) => Payload::InventoryCommit,
            Self::Late(Kind::ShippingDeliver) => Payload::ShippingDeliver,
            Self::Late(_) => Payload::ShippingDispatch,
        }
    }

    /// What the saga is doing while it waits for it.
    pub const fn step(self) -> SagaStep {
        match self {
            Self::Step(step) => taking(step),
            Self::Undo(Step::Inventory) => SagaStep::ReleasingInventory,
            Self::Undo(Step::Payment) => SagaStep::RefundingPayment,
            Self::Undo(Step::Shipping) => SagaStep::CancellingShipment,
            Self::Late(Kind::InventoryCommit) => SagaStep::CommittingInventory,
            Self::Late(Kind::ShippingDeliver) => SagaStep::ConfirmingDelivery,
            Self::Late(_) => SagaStep::Dispatching,
        }
    }
}

/// What a saga is doing while it takes a step.
pub const fn taking(step: Step) -> SagaStep {
    match step {
        Step::Inventory => SagaStep::ReservingInventory,
        Step::Payment => SagaStep::ProcessingPayment,
        Step::Shipping => SagaStep::SchedulingShipment,
    }
}
