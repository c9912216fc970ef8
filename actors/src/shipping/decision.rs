//! What comes of a command.

use super::shipment::ShipmentState;

/// What comes of a command.
pub(super) enum ShippingDecision {
    /// The shipment is this from now on.
    Becomes(ShipmentState),
    /// The latest outcome stands: it is the answer.
    Stands,
    /// There is no outcome that could be the answer yet.
    Early(&'static str),
}
