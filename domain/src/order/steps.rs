//! The steps of a saga: the order in which they are taken and undone, and the table of what is fixed about each.
//!
//! ```text
//! plan: inventory, payment, shipping ─▶ CONFIRMED ─▶ fulfilment: dispatch, commit, delivery
//!       refusable, undone on failure                 neither refused nor undone
//! ```
//!
//! Everything that handles steps derives from this file: a new step is a variant, its places in the lists, and a row.

mod derived;
mod spec;

use super::status::OrderStatus;
use crate::messages::{
    InventoryMessage, Kind, OrderMessage, Payload, PaymentMessage, Plan, ShippingMessage,
};
use serde::{Deserialize, Serialize};
pub use spec::{Action, Phase, SagaStep, StepSpec, Trigger};

/// A step of a saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Reserve the stock.
    Inventory,
    /// Take the money.
    Payment,
    /// Schedule the parcel.
    Shipping,
    /// Hand the parcel to the carrier.
    Dispatch,
    /// Remove the reserved units from the stock.
    Commit,
    /// Record the delivery.
    Delivery,
}

/// The steps of a plan, in their order. The order is confirmed when all of them are done.
pub const fn steps(plan: Plan) -> [Step; 3] {
    match plan {
        Plan::ReserveFirst => [Step::Inventory, Step::Payment, Step::Shipping],
        Plan::PaymentFirst => [Step::Payment, Step::Inventory, Step::Shipping],
    }
}

/// The steps of a confirmed order, in their order.
pub const FULFILMENT: [Step; 3] = [Step::Dispatch, Step::Commit, Step::Delivery];

/// The steps of a plan in the order in which they are undone. The first is undone alone, because a parcel must not
/// leave while its money goes back; the others follow together.
pub const COMPENSATION: [Step; 3] = [Step::Shipping, Step::Payment, Step::Inventory];

impl Step {
    /// Every step.
    pub const ALL: [Self; 6] = [
        Self::Inventory,
        Self::Payment,
        Self::Shipping,
        Self::Dispatch,
        Self::Commit,
        Self::Delivery,
    ];

    /// The specification of the step.
    pub const fn spec(self) -> &'static StepSpec {
        &TABLE[self as usize]
    }
}

/// The rows are in the order of the variants of [`Step`].
static TABLE: [StepSpec; Step::ALL.len()] = [
    StepSpec {
        name: "inventory",
        action: Action {
            activity: SagaStep("RESERVING_INVENTORY"),
            command: |details, _| {
                Payload::Inventory(InventoryMessage::Reserve(details.stock_lines()))
            },
            done: Kind::InventoryReserved,
            status: Some(OrderStatus::InventoryReserved),
        },
        phase: Phase::Plan {
            refused: Kind::InventoryFailed,
            refusal: |payload| match payload {
                Payload::Inventory(InventoryMessage::Failed(refusal)) => Some(refusal),
                _ => None,
            },
            failed: OrderStatus::InventoryFailed,
            undo: Action {
                activity: SagaStep("RELEASING_INVENTORY"),
                command: |_, _| Payload::Inventory(InventoryMessage::Release),
                done: Kind::InventoryReleased,
                status: None,
            },
        },
    },
    StepSpec {
        name: "payment",
        action: Action {
            activity: SagaStep("PROCESSING_PAYMENT"),
            command: |details, placed_at| {
                Payload::Payment(PaymentMessage::Process(details.payment(placed_at)))
            },
            done: Kind::PaymentApproved,
            status: Some(OrderStatus::PaymentApproved),
        },
        phase: Phase::Plan {
            refused: Kind::PaymentFailed,
            refusal: |payload| match payload {
                Payload::Payment(PaymentMessage::Failed(refusal)) => Some(refusal),
                _ => None,
            },
            failed: OrderStatus::PaymentFailed,
            undo: Action {
                activity: SagaStep("REFUNDING_PAYMENT"),
                command: |_, _| Payload::Payment(PaymentMessage::Refund),
                done: Kind::PaymentReversed,
                status: Some(OrderStatus::PaymentReversed),
            },
        },
    },
    StepSpec {
        name: "shipping",
        action: Action {
            activity: SagaStep("SCHEDULING_SHIPMENT"),
            command: |details, _| Payload::Shipping(ShippingMessage::Schedule(details.parcel())),
            done: Kind::ShippingScheduled,
            status: None, // It is the last step: with it the order is confirmed.
        },
        phase: Phase::Plan {
            refused: Kind::ShippingFailed,
            refusal: |payload| match payload {
                Payload::Shipping(ShippingMessage::Failed(refusal)) => Some(refusal),
                _ => None,
            },
            failed: OrderStatus::ShippingFailed,
            undo: Action {
                activity: SagaStep("CANCELLING_SHIPMENT"),
                command: |_, _| Payload::Shipping(ShippingMessage::Cancel),
                done: Kind::ShippingFailed, // The same event answers the step and its undo.
                status: None,
            },
        },
    },
    StepSpec {
        name: "dispatch",
        action: Action {
            activity: SagaStep("DISPATCHING"),
            command: |_, _| Payload::Shipping(ShippingMessage::Dispatch),
            done: Kind::ShippingDispatched,
            status: None, // The order is shipped when the stock has left, too.
        },
        phase: Phase::Fulfilment {
            trigger: Trigger::Request {
                event: |_| Payload::Order(OrderMessage::DispatchRequested),
                from: OrderStatus::Confirmed,
                conflict: "only a CONFIRMED order can be dispatched",
                compensating: "the order cannot be dispatched: it is being cancelled",
                automatic: |policy| policy.dispatch_after,
            },
            unsent: "a parcel was dispatched without a command",
            notice: None,
        },
    },
    StepSpec {
        name: "commit",
        action: Action {
            activity: SagaStep("COMMITTING_INVENTORY"),
            command: |_, _| Payload::Inventory(InventoryMessage::Commit),
            done: Kind::InventoryCommitted,
            status: Some(OrderStatus::Shipped),
        },
        phase: Phase::Fulfilment {
            trigger: Trigger::Previous,
            unsent: "stock was committed without a command",
            notice: Some(OrderMessage::Shipped),
        },
    },
    StepSpec {
        name: "delivery",
        action: Action {
            activity: SagaStep("CONFIRMING_DELIVERY"),
            command: |_, _| Payload::Shipping(ShippingMessage::Deliver),
            done: Kind::ShippingDelivered,
            status: Some(OrderStatus::Completed),
        },
        phase: Phase::Fulfilment {
            trigger: Trigger::Request {
                event: |_| Payload::Order(OrderMessage::DeliveryConfirmed),
                from: OrderStatus::Shipped,
                conflict: "only a SHIPPED order can be confirmed as delivered",
                compensating: "the order cannot be confirmed as delivered: it is being cancelled",
                automatic: |_| None,
            },
            unsent: "a parcel was delivered without a command",
            notice: Some(OrderMessage::Completed),
        },
    },
];
