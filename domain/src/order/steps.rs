//! The steps of an order, their commands and their undoing, and which of them wait for an answer.

use super::facts::Facts;
use super::status::SagaStep;
use crate::messages::{
    InventoryMessage, Kind, OrderDetails, Payload, PaymentMessage, Plan, ShippingMessage, Step,
};

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
        Step::Inventory => Payload::Inventory(InventoryMessage::Reserve(details.stock_lines())),
        Step::Payment => Payload::Payment(PaymentMessage::Process(details.payment())),
        Step::Shipping => Payload::Shipping(ShippingMessage::Schedule(details.parcel())),
    }
}

/// The command that undoes a step.
pub const fn undo(step: Step) -> Payload {
    match step {
        Step::Inventory => Payload::Inventory(InventoryMessage::Release),
        Step::Payment => Payload::Payment(PaymentMessage::Refund),
        Step::Shipping => Payload::Shipping(ShippingMessage::Cancel),
    }
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
            Self::Late(Kind::InventoryCommit) => Payload::Inventory(InventoryMessage::Commit),
            Self::Late(Kind::ShippingDeliver) => Payload::Shipping(ShippingMessage::Deliver),
            Self::Late(_) => Payload::Shipping(ShippingMessage::Dispatch),
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
