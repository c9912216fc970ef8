//! The shipment of one order: one row under the order's own key, whatever became of it.

use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::messages::{
    Address, Message, Origin, Payload, Priority, Refusal, ShipmentScheduled, ShippingMessage,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use strum::{IntoStaticStr, VariantArray};

/// The reason that `shipping.failed` gives when it answers a cancel.
pub const WORD_CANCELLED: &str = "cancelled";

/// A parcel, as the carrier has it on its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The answer that the order got: tracking code, freight, estimated delivery.
    pub scheduled: ShipmentScheduled,
    /// How many units it holds.
    pub units: u64,
    /// How fast it is wanted.
    pub priority: Priority,
    /// Where it goes.
    pub address: Option<Address>,
}

/// The state that a cancel found and undid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// This parcel, which never left.
    Parcel(Parcel),
    /// A refusal: there was no parcel.
    Refused(Refusal),
    /// Nothing: the row is a tombstone, there so that the late schedule sends nothing either.
    Nothing,
}

/// The word for where a shipment stands, in answers and in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ShipmentStatus {
    /// The parcel waits to be dispatched.
    Scheduled,
    /// The carrier did not take it.
    Failed,
    /// There is no parcel, and never will be one.
    Cancelled,
    /// It is under way.
    Dispatched,
    /// The customer has it.
    Delivered,
}

impl ShipmentStatus {
    /// Every status.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The state of an order's shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShipmentState {
    /// The parcel waits to be dispatched.
    Scheduled(Parcel),
    /// The carrier did not take it.
    Failed(Refusal),
    /// There is no parcel, and never will be one.
    Cancelled(Undone),
    /// It is under way.
    Dispatched(Parcel),
    /// The customer has it.
    Delivered {
        /// The parcel.
        parcel: Parcel,
        /// When it left.
        dispatched_at: Timestamp,
    },
}

impl ShipmentState {
    /// The status as it is stored and shown.
    pub const fn status(&self) -> ShipmentStatus {
        match self {
            Self::Scheduled(_) => ShipmentStatus::Scheduled,
            Self::Failed(_) => ShipmentStatus::Failed,
            Self::Cancelled(_) => ShipmentStatus::Cancelled,
            Self::Dispatched(_) => ShipmentStatus::Dispatched,
            Self::Delivered { .. } => ShipmentStatus::Delivered,
        }
    }

    /// The parcel, also one that was cancelled.
    pub const fn parcel(&self) -> Option<&Parcel> {
        match self {
            Self::Scheduled(parcel)
            | Self::Dispatched(parcel)
            | Self::Delivered { parcel, .. }
            | Self::Cancelled(Undone::Parcel(parcel)) => Some(parcel),
            Self::Failed(_) | Self::Cancelled(Undone::Refused(_) | Undone::Nothing) => None,
        }
    }

    /// Why the carrier did not take it, also when it was cancelled afterwards.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Failed(refusal) | Self::Cancelled(Undone::Refused(refusal)) => Some(refusal),
            Self::Scheduled(_)
            | Self::Dispatched(_)
            | Self::Delivered { .. }
            | Self::Cancelled(Undone::Parcel(_) | Undone::Nothing) => None,
        }
    }

    /// The message about it, and the number that tells the second `shipping.failed` of an order from
    /// its first: a refusal, and the cancel that followed it.
    fn outcome(&self) -> (Payload, u32) {
        match self {
            Self::Scheduled(parcel) => {
                (Payload::Shipping(ShippingMessage::Scheduled(parcel.scheduled.clone())), 0)
            }
            Self::Failed(refusal) => {
                (Payload::Shipping(ShippingMessage::Failed(refusal.clone())), 0)
            }
            Self::Cancelled(Undone::Parcel(_) | Undone::Nothing) => (cancelled(), 0),
            Self::Cancelled(Undone::Refused(_)) => (cancelled(), 1),
            Self::Dispatched(_) => (Payload::Shipping(ShippingMessage::Dispatched), 0),
            Self::Delivered { .. } => (Payload::Shipping(ShippingMessage::Delivered), 0),
        }
    }
}

fn cancelled() -> Payload {
    Payload::Shipping(ShippingMessage::Failed(Refusal::because(WORD_CANCELLED)))
}

/// A shipment's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// Whose shipment; the key.
    pub order_id: OrderId,
    /// Its state.
    pub state: ShipmentState,
    /// When the latest outcome was decided, in whole microseconds.
    pub decided_at: Timestamp,
}

impl Shipment {
    /// The latest outcome as a message: the same one each time, but for the flow's own marks, which
    /// every answer carries on from what it answers.
    pub fn outcome(&self, origin: &Origin) -> Arc<Message> {
        let (payload, number) = self.state.outcome();
        Message::new(origin, payload, number, self.decided_at)
    }

    /// When the parcel left, if it did.
    pub const fn dispatched_at(&self) -> Option<Timestamp> {
        match self.state {
            ShipmentState::Dispatched(_) => Some(self.decided_at),
            ShipmentState::Delivered { dispatched_at, .. } => Some(dispatched_at),
            ShipmentState::Scheduled(_)
            | ShipmentState::Failed(_)
            | ShipmentState::Cancelled(_) => None,
        }
    }
}
