//! The carrier's prices, and how often it fails.

/// The carrier's terms. Read once, at start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShippingPolicy {
    /// The freight of a parcel before its units, in hundredths of the unit of the order's currency.
    pub base_cost_hundredths: i64,
    /// The share of orders whose parcel the carrier refuses, 0 to 1. Which ones follows from their
    /// ids.
    pub failure_rate: f64,
}

impl Default for ShippingPolicy {
    /// A carrier that never fails.
    fn default() -> Self {
        Self { base_cost_hundredths: 500, failure_rate: 0.0 }
    }
}
