//! The decision on a shipping command.

use super::shipment::ShipmentState;

/// The decision on a shipping command.
pub(super) enum ShippingDecision {
    /// The new state of the shipment.
    Becomes(ShipmentState),
    /// The recorded outcome is unchanged, and is the reply.
    Stands,
    /// The command arrived before the one that it depends on.
    Early(&'static str),
}
