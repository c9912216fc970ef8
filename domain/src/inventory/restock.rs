//! Restock: a product's stock as the shop counts it.

use super::{Entry, Quantity, StockRow};

/// A product's first stock. None: it has stock already.
pub(super) fn create(current: Option<&StockRow>, available: Quantity) -> Option<Entry> {
    match current {
        Some(_) => None,
        None => Some(Entry::Created(available.units())),
    }
}

/// The entry that makes `available` units of a product free. None: so many are free already.
pub(super) fn set_available(row: &StockRow, available: Quantity) -> Option<Entry> {
    let delta = available.units() - row.available();
    (delta != 0).then_some(Entry::Set(delta))
}
