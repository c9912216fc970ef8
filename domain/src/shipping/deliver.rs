//! Deliver: the customer has the parcel.

use super::decision::ShippingDecision;
use super::shipment::{Shipment, ShipmentState};

/// Decides a delivery: only what has left arrives. Before that it is too early, as for
/// [`dispatch`](super::dispatch).
pub(super) fn deliver(current: Option<&Shipment>) -> ShippingDecision {
    let Some(shipment) = current else {
        return ShippingDecision::Early("delivery of a parcel that is not scheduled yet");
    };
    match &shipment.state {
        ShipmentState::Scheduled(_) => {
            ShippingDecision::Early("delivery of a parcel that is not dispatched yet")
        }
        ShipmentState::Dispatched(parcel) => ShippingDecision::Becomes(ShipmentState::Delivered {
            parcel: parcel.clone(),
            dispatched_at: shipment.decided_at,
        }),
        ShipmentState::Failed(_)
        | ShipmentState::Cancelled(_)
        | ShipmentState::Delivered { .. } => ShippingDecision::Stands,
    }
}
