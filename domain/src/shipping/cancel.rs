//! Cancel: the undo of a schedule.

use super::decision::ShippingDecision;
use super::shipment::{Shipment, ShipmentState, Undone};

/// Decides an undo. Its answer is always `shipping.failed`, also where the parcel had been refused
/// or was never asked for; only what has left cannot be called back.
pub(super) fn cancel(current: Option<&Shipment>) -> ShippingDecision {
    let undone = match current.map(|shipment| &shipment.state) {
        None => Undone::Nothing,
        Some(ShipmentState::Scheduled(parcel)) => Undone::Parcel(parcel.clone()),
        Some(ShipmentState::Failed(refusal)) => Undone::Refused(refusal.clone()),
        Some(
            ShipmentState::Cancelled(_)
            | ShipmentState::Dispatched(_)
            | ShipmentState::Delivered { .. },
        ) => return ShippingDecision::Stands,
    };
    ShippingDecision::Becomes(ShipmentState::Cancelled(undone))
}
