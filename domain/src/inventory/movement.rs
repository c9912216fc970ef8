//! The stock ledger: every movement of a product's units, and the stock that it left.
//!
//! ```text
//!  batch ──▶ stock row, version 7: on hand 12, reserved 3
//!       └──▶ ledger row, version 7: on hand 12, reserved 3, [{"reserved":[2,order]}, {"released":[1,order]}]
//! ```
//!
//! A journal batch writes one ledger row for each product that it moves, in the same transaction as
//! the stock row and under the same version. The row holds the stock after its last entry; the stock
//! after every other entry follows by undoing the later ones, which is done when the ledger is read.

use super::rows::StockRow;
use crate::clock::Timestamp;
use crate::ids::OrderId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One movement, as it is stored: `{"reserved":[2,"<order id>"]}`. Units are never 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The product was stocked for the first time, with so many units.
    Created(i64),
    /// The available stock was set, which changed the units on hand by so many.
    Set(i64),
    /// The units on hand were changed by so many, for this reason.
    Adjusted(i64, Arc<str>),
    /// So many units were reserved for the order.
    Reserved(i64, OrderId),
    /// So many reserved units of the order became available again.
    Released(i64, OrderId),
    /// So many reserved units of the order left the warehouse.
    Committed(i64, OrderId),
}

impl Entry {
    /// The kind of movement as it is shown.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Created(_) => "created",
            Self::Set(_) => "set",
            Self::Adjusted(..) => "adjusted",
            Self::Reserved(..) => "reserved",
            Self::Released(..) => "released",
            Self::Committed(..) => "committed",
        }
    }

    /// By how many units it changes what is on hand, and what is reserved.
    pub const fn deltas(&self) -> (i64, i64) {
        match self {
            Self::Created(units) | Self::Set(units) | Self::Adjusted(units, _) => (*units, 0),
            Self::Reserved(units, _) => (0, *units),
            Self::Released(units, _) => (0, -*units),
            Self::Committed(units, _) => (-*units, -*units),
        }
    }

    /// The order that it belongs to.
    pub const fn order_id(&self) -> Option<OrderId> {
        match self {
            Self::Created(_) | Self::Set(_) | Self::Adjusted(..) => None,
            Self::Reserved(_, order) | Self::Released(_, order) | Self::Committed(_, order) => {
                Some(*order)
            }
        }
    }

    /// The reason that was given for it.
    pub const fn reason(&self) -> Option<&Arc<str>> {
        match self {
            Self::Adjusted(_, reason) => Some(reason),
            Self::Created(_) | Self::Set(_) => None,
            Self::Reserved(..) | Self::Released(..) | Self::Committed(..) => None,
        }
    }
}

/// A row of `movements`: what one journal batch did to one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovementRow {
    /// The stock row as the batch wrote it.
    pub stock: Arc<StockRow>,
    /// When the batch was decided.
    pub at: Timestamp,
    /// Its entries, in order: at least one.
    pub entries: Vec<Entry>,
}

impl MovementRow {
    /// The units on hand and the reserved units before the batch.
    pub fn before(&self) -> (i64, i64) {
        let sum = |(on_hand, reserved), entry: &Entry| undo((on_hand, reserved), entry);
        self.entries.iter().rev().fold((self.stock.on_hand, self.stock.reserved), sum)
    }

    /// Its movements, newest first.
    pub fn movements(&self) -> Vec<Movement> {
        let mut after = (self.stock.on_hand, self.stock.reserved);
        let entries = self.entries.iter().enumerate().rev();
        let movements = entries.map(|(index, entry)| {
            let (on_hand, reserved) = after;
            after = undo(after, entry);
            let place = Place { version: self.stock.version, index };
            Movement { place, at: self.at, entry: entry.clone(), on_hand, reserved }
        });
        movements.collect()
    }
}

const fn undo((on_hand, reserved): (i64, i64), entry: &Entry) -> (i64, i64) {
    let (on_hand_delta, reserved_delta) = entry.deltas();
    (on_hand - on_hand_delta, reserved - reserved_delta)
}

/// Where a movement is in its product's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The version of the stock row that its batch wrote.
    pub version: u64,
    /// Its place among the batch's movements of the product.
    pub index: usize,
}

/// A movement, with the stock after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Where it is in the ledger.
    pub place: Place,
    /// When it was decided.
    pub at: Timestamp,
    /// The entry.
    pub entry: Entry,
    /// Units on hand after it.
    pub on_hand: i64,
    /// Reserved units after it.
    pub reserved: i64,
}
