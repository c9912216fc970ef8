//! Adjust: units arrive, or are found to be missing. Changes what is on hand by a number of units, so
//! that it is right whatever was reserved or sold meanwhile.

use super::{Quantity, StockRow};
use crate::ids::ProductId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A change of what is on hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// The product.
    pub product_id: ProductId,
    /// Units that arrived; negative: units that are gone. Never 0.
    pub delta: i64,
    /// Why, for the ledger.
    pub reason: Arc<str>,
}

/// The outcome of an adjustment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentOutcome {
    /// It is applied: the stock as its batch left it.
    Adjusted(StockRow),
    /// Nothing is changed: there is no such product.
    UnknownProduct,
    /// Nothing is changed: fewer units would be on hand than are reserved, as they were then.
    BelowReserved(StockRow),
    /// Nothing is changed: more units would be available than [`Quantity::MAX`].
    AboveMaximum(StockRow),
}

/// Decides an adjustment on the product's locked row. Any outcome but `Adjusted` changes nothing.
pub(super) fn adjust(current: Option<&StockRow>, delta: i64) -> AdjustmentOutcome {
    let Some(row) = current else { return AdjustmentOutcome::UnknownProduct };
    let available = row.available().saturating_add(delta);
    if available < 0 {
        AdjustmentOutcome::BelowReserved(row.clone())
    } else if Quantity::new(available).is_none() {
        AdjustmentOutcome::AboveMaximum(row.clone())
    } else {
        AdjustmentOutcome::Adjusted(StockRow { on_hand: row.on_hand + delta, ..row.clone() })
    }
}

/// The key of a request to adjust stock. The same key never adjusts twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustmentKey {
    /// The key as the client sent it, or one of our own (where the client sent none).
    pub key: String,
    /// A digest of the request, to tell a repeat from another request.
    pub fingerprint: Vec<u8>,
}

/// A row of `adjustment_keys`: a request that was applied, and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustmentRecord {
    /// The request's key.
    pub key: AdjustmentKey,
    /// One outcome for each of its adjustments, in their order.
    pub outcomes: Vec<AdjustmentOutcome>,
}
