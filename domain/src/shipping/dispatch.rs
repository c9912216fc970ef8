//! Dispatch: the parcel leaves.

use super::decision::ShippingDecision;
use super::shipment::{Shipment, ShipmentState};

/// Decides a dispatch: only what is scheduled leaves. Where the parcel was refused or cancelled,
/// that outcome is the answer.
///
/// A dispatch without any outcome has overtaken its schedule (a message may be delayed by a retry).
/// Nothing is written for it: a row would refuse the schedule that is still to come.
pub(super) fn dispatch(current: Option<&Shipment>) -> ShippingDecision {
    match current.map(|shipment| &shipment.state) {
        None => ShippingDecision::Early("dispatch of a parcel that is not scheduled yet"),
        Some(ShipmentState::Scheduled(parcel)) => {
            ShippingDecision::Becomes(ShipmentState::Dispatched(parcel.clone()))
        }
        Some(
            ShipmentState::Failed(_)
            | ShipmentState::Cancelled(_)
            | ShipmentState::Dispatched(_)
            | ShipmentState::Delivered { .. },
        ) => ShippingDecision::Stands,
    }
}
