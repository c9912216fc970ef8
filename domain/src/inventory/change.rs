//! Changes of the inventory service, and what a batch of them reads, writes and answers.

use super::{
    Adjustment, AdjustmentKey, AdjustmentOutcome, AdjustmentRecord, Lines, MovementRow, Quantity,
    Reservation, ReservationRow, StockRow,
};
use crate::clock::Timestamp;
use crate::expected::Expected;
use crate::ids::{OrderId, ProductId};
use crate::messages::Origin;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One thing asked of inventory. Nothing in it was decided before: the batch does.
#[derive(Clone, Debug)]
pub enum Change {
    /// Reserve these lines for the order: all of them or none.
    Reserve {
        /// The order.
        origin: Origin,
        /// The units to reserve.
        lines: Lines,
    },
    /// Put back what the order has reserved, and never reserve anything for it again.
    Release {
        /// The order.
        origin: Origin,
    },
    /// The reserved units of the order have left the warehouse.
    Commit {
        /// The order.
        origin: Origin,
    },
    /// Stock a product for the first time.
    CreateProduct {
        /// The product.
        product_id: ProductId,
        /// Units that are available.
        available: Quantity,
    },
    /// Set how many units of a product are available. What is reserved stays reserved.
    SetAvailable {
        /// The product.
        product_id: ProductId,
        /// Units that are available.
        available: Quantity,
        /// The versions that the row may have. With any other, nothing is set.
        expected: Expected<u64>,
    },
    /// Change what is on hand of some products, each as far as it is possible, under one key.
    Adjust {
        /// The request's key.
        key: AdjustmentKey,
        /// The adjustments, in this order.
        adjustments: Arc<[Adjustment]>,
    },
}

/// The rows that a batch needs.
///
/// A store reads (and locks) the reservations of [`orders`](Self::orders) first, and then the stock
/// rows of [`products_with`](Self::products_with) these reservations; each in the order of their
/// keys, so that two batches of different processes never wait for each other in a circle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Orders whose reservations are read.
    pub orders: BTreeSet<OrderId>,
    /// Products that the changes name. What is released or committed is named by the reservation.
    pub products: BTreeSet<ProductId>,
    /// The keys of adjustments.
    pub adjustment_keys: BTreeSet<String>,
}

impl Keys {
    /// The keys of the rows that these changes concern.
    pub fn of(changes: &[Change]) -> Self {
        let mut keys = Self::default();
        for change in changes {
            match change {
                Change::Reserve { origin, lines } => {
                    keys.orders.insert(origin.order_id);
                    keys.products.extend(lines.products().cloned());
                }
                Change::Release { origin } | Change::Commit { origin } => {
                    keys.orders.insert(origin.order_id);
                }
                Change::CreateProduct { product_id, .. }
                | Change::SetAvailable { product_id, .. } => {
                    keys.products.insert(product_id.clone());
                }
                Change::Adjust { key, adjustments } => {
                    keys.adjustment_keys.insert(key.key.clone());
                    let products = adjustments.iter().map(|item| item.product_id.clone());
                    keys.products.extend(products);
                }
            }
        }
        keys
    }

    /// The products whose stock is read: those that the changes name, and those that the orders'
    /// reservations hold.
    pub fn products_with<'a>(
        &self,
        reservations: impl IntoIterator<Item = &'a ReservationRow>,
    ) -> BTreeSet<ProductId> {
        let mut products = self.products.clone();
        for row in reservations {
            if let Reservation::Reserved(lines) = &row.reservation {
                products.extend(lines.products().cloned());
            }
        }
        products
    }
}

/// The rows that [`Keys`] ask for; those that do not exist are left out.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// The orders' reservations.
    pub reservations: BTreeMap<OrderId, ReservationRow>,
    /// The products' stock.
    pub stock: BTreeMap<ProductId, StockRow>,
    /// The keys of adjustments that were applied.
    pub adjusted: BTreeMap<String, AdjustmentRecord>,
}

/// The rows that a batch writes: each at most once, in the order of their keys.
///
/// The store inserts plainly: a row that is there already is a batch to be tried again, never one
/// to be passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// Orders that had no reservation.
    pub new_reservations: Vec<ReservationRow>,
    /// Reservations that have moved on.
    pub reservations: Vec<ReservationRow>,
    /// Products that were not known.
    pub new_stock: Vec<Arc<StockRow>>,
    /// Stock that has changed.
    pub stock: Vec<Arc<StockRow>>,
    /// The ledger: one row for each row of `new_stock` and `stock`.
    pub movements: Vec<MovementRow>,
    /// The keys of adjustments that are applied, with the time they were.
    pub adjusted: Vec<(AdjustmentRecord, Timestamp)>,
}

/// The answer to a change, sent when it is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InventoryAnswer {
    /// The order's latest outcome stands, and the message that says so is on its way. With the
    /// stock of the products concerned as it was committed, by product.
    OutcomePublished(Vec<Arc<StockRow>>),
    /// The product has this stock now.
    Stocked(Arc<StockRow>),
    /// Nothing is written: the product is there already.
    Exists,
    /// Nothing is written: there is no such product.
    NotFound,
    /// Nothing is written: the row is at another version than was expected, at this one.
    Stale(Arc<StockRow>),
    /// The outcome of each adjustment.
    Adjusted {
        /// One outcome for each, in their order.
        outcomes: Vec<AdjustmentOutcome>,
        /// True: the same request was here before, and was answered this. Nothing is written.
        replayed: bool,
    },
    /// Nothing is written: the key was here before with another request.
    KeyReused,
    /// Nothing is written and nothing said: the command makes no sense, and never will.
    Impossible(&'static str),
}
