//! The stock of one product, as its row has it.

use crate::ids::ProductId;
use serde::{Deserialize, Serialize};

/// A number of units that a product may be stocked with: 0 to [`Quantity::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i64);

impl Quantity {
    /// The most units of a product: above any real warehouse, and a millionth of what would
    /// overflow when the reserved units are added.
    pub const MAX: i64 = 1_000_000_000_000;

    /// The quantity, when it is within bounds.
    pub fn new(units: i64) -> Option<Self> {
        (0..=Self::MAX).contains(&units).then_some(Self(units))
    }

    /// How many units.
    pub const fn units(self) -> i64 {
        self.0
    }
}

/// A row of `stock`: 0 <= reserved <= on_hand, always.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRow {
    /// The product.
    pub product_id: ProductId,
    /// Units in the warehouse.
    pub on_hand: i64,
    /// Those of them that orders have a claim on.
    pub reserved: i64,
    /// Grows with each write of the row: of two views of a product the one with the higher version
    /// is the newer.
    pub version: u64,
}

impl StockRow {
    /// A product at its first version, without any unit yet.
    pub fn empty(product_id: ProductId) -> Self {
        Self { product_id, on_hand: 0, reserved: 0, version: 1 }
    }

    /// Units that an order may still have.
    pub const fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }
}
