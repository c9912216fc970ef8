//! Changes of the shipping service, and their answers.

use super::decision::ShippingDecision;
use super::shipment::Shipment;
use super::{ShippingPolicy, cancel, deliver, dispatch, schedule};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::messages::{Origin, ShippingSchedule};

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Have the parcel fetched.
    Schedule(ShippingSchedule),
    /// Have no parcel fetched, whether one was scheduled or not.
    Cancel,
    /// Hand the parcel to the carrier.
    Dispatch,
    /// The customer has the parcel.
    Deliver,
}

/// A command and the order it concerns. Nothing in it was decided before: the batch does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The order; what the answer carries on.
    pub origin: Origin,
    /// The command.
    pub command: Command,
}

/// The answer to a command, sent when it is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShippingAnswer {
    /// The latest outcome stands, and the message that says so is on its way.
    OutcomePublished,
    /// Nothing is written or said: the command overtook one that must come first. Bring it again
    /// later; one that never fits is a dead letter, for a person to look at.
    Early(&'static str),
}

impl Command {
    /// Decides the command on the order's row. Pure.
    pub(super) fn decide(
        &self,
        policy: &ShippingPolicy,
        order: OrderId,
        current: Option<&Shipment>,
        at: Timestamp,
    ) -> ShippingDecision {
        match self {
            Self::Schedule(wanted) => schedule::schedule(policy, order, wanted, current, at),
            Self::Cancel => cancel::cancel(current),
            Self::Dispatch => dispatch::dispatch(current),
            Self::Deliver => deliver::deliver(current),
        }
    }
}
