//! One look at an order, and whether a second one confirms it.
//!
//! The records of a running system are read one after the other, and messages are on their way between its
//! services. So a difference counts only when it is seen twice, when the order did not change in between, and
//! when it has not moved for a while.

use super::disagreement::Disagreement;
use super::order::{OrderSides, Stage, compare_order};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use std::time::Duration;

/// An observation of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderObservation {
    /// How far the order was.
    pub stage: Stage,
    /// The disagreements.
    pub disagreements: Vec<Disagreement>,
    /// The version of its saga. None: the order service does not say.
    version: Option<u64>,
    /// When it last moved, as far as that is known.
    moved_at: Timestamp,
}

impl OrderObservation {
    /// Compares what the services say.
    pub fn at(sides: &OrderSides) -> Self {
        let compared = compare_order(sides);
        let order = sides.order.says();
        Self {
            stage: compared.stage,
            disagreements: compared.disagreements,
            version: order.map(|order| order.version),
            moved_at: order.map_or_else(|| placed_at(sides.order_id), |order| order.updated_at),
        }
    }

    /// True when nothing differs.
    pub fn is_clean(&self) -> bool {
        self.disagreements.is_empty()
    }

    /// True when this observation is the same as an earlier one.
    pub fn is_as(&self, earlier: &Self) -> bool {
        self == earlier
    }

    /// True when the order has not moved for so long.
    pub fn is_quiet(&self, now: Timestamp, settle: Duration) -> bool {
        self.moved_at + settle <= now
    }
}

/// When an order was placed, by its id.
fn placed_at(order: OrderId) -> Timestamp {
    let (seconds, nanos) = order.0.get_timestamp().map_or((0, 0), |time| time.to_unix());
    let seconds = i64::try_from(seconds).unwrap_or_default();
    Timestamp::from_timestamp(seconds, nanos).unwrap_or_default()
}
