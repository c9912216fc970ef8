//! Restock: a product's stock as the shop counts it.

use super::{Quantity, StockRow};
use crate::ids::ProductId;

/// A product's first stock. None: it has stock already.
pub(super) fn create(
    current: Option<&StockRow>,
    product_id: &ProductId,
    available: Quantity,
) -> Option<StockRow> {
    match current {
        Some(_) => None,
        None => Some(StockRow::new(product_id.clone(), available)),
    }
}

/// A product's stock when `available` units are free. None: there is no such product.
pub(super) fn set_available(current: Option<&StockRow>, available: Quantity) -> Option<StockRow> {
    let row = current?;
    Some(StockRow { on_hand: available.units() + row.reserved, ..row.clone() })
}
