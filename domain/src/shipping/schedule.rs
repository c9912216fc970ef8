//! Schedule: the carrier is asked to fetch a parcel, once per order.

use super::decision::ShippingDecision;
use super::shipment::{Parcel, Shipment, ShipmentState};
use super::{ShippingPolicy, carrier, freight};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::messages::{Refusal, ShipmentScheduled, ShippingSchedule};

/// Decides a parcel. Where there is an outcome, it stands: a cancelled order's late parcel is never
/// scheduled, and a refused one is not tried again.
pub(super) fn schedule(
    policy: &ShippingPolicy,
    order: OrderId,
    wanted: &ShippingSchedule,
    current: Option<&Shipment>,
    at: Timestamp,
) -> ShippingDecision {
    if current.is_some() {
        return ShippingDecision::Stands;
    }
    let ShippingSchedule { units, address, priority, total } = wanted;
    if let Some(reason) = carrier::refusal(policy, order, address.as_ref()) {
        return ShippingDecision::Becomes(ShipmentState::Failed(Refusal::because(reason)));
    }
    let scheduled = ShipmentScheduled {
        tracking_code: carrier::tracking_code(order),
        freight: freight::freight(policy, *units, total.currency),
        estimated_delivery: at + carrier::transit(order, *priority),
    };
    let (units, priority, address) = (*units, *priority, address.clone());
    ShippingDecision::Becomes(ShipmentState::Scheduled(Parcel {
        scheduled,
        units,
        priority,
        address,
    }))
}
