//! The reservation of one order: one row under the order's own key, whatever became of it.
//!
//! ```text
//!            ┌────────▶ Reserved ──commit──▶ Committed
//!   reserve ─┤              │
//!            └▶ Refused ──release──▶ Released ◀──release── (nothing yet: a tombstone)
//! ```
//!
//! Committed and Released are final. Asked again, by whatever command, the order's latest outcome
//! is the answer.

use crate::clock::Timestamp;
use crate::ids::{OrderId, ProductId};
use crate::messages::{InventoryMessage, Message, Origin, Payload, Refusal, StockLine};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use thiserror::Error;

/// Why a list of lines is none that could be reserved.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum LinesError {
    /// There is nothing in it.
    #[error("the order has no lines")]
    Empty,
    /// A line asks for nothing.
    #[error("a line has quantity 0")]
    Zero,
    /// Several lines of one product ask for more than can be counted.
    #[error("the total quantity is too large")]
    TooMany,
}

/// The units of an order: each product once, in the order of their ids, at least one of
/// each. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<StockLine>", into = "Vec<StockLine>")]
pub struct Lines(Arc<[StockLine]>);

impl Lines {
    /// The lines, by product.
    pub fn iter(&self) -> std::slice::Iter<'_, StockLine> {
        self.0.iter()
    }

    /// The line at a place.
    pub fn get(&self, index: usize) -> Option<&StockLine> {
        self.0.get(index)
    }

    /// Their products, in order.
    pub fn products(&self) -> impl Iterator<Item = &ProductId> {
        self.iter().map(|line| &line.product_id)
    }
}

impl TryFrom<Vec<StockLine>> for Lines {
    type Error = LinesError;

    /// Sorts the lines and adds up those of the same product.
    fn try_from(mut lines: Vec<StockLine>) -> Result<Self, LinesError> {
        lines.sort_by(|a, b| a.product_id.cmp(&b.product_id));
        let mut merged: Vec<StockLine> = Vec::with_capacity(lines.len());
        for line in lines {
            if line.quantity == 0 {
                return Err(LinesError::Zero);
            }
            match merged.last_mut() {
                Some(last) if last.product_id == line.product_id => {
                    let sum = last.quantity.checked_add(line.quantity);
                    last.quantity = sum.ok_or(LinesError::TooMany)?;
                }
                Some(_) | None => merged.push(line),
            }
        }
        if merged.is_empty() { Err(LinesError::Empty) } else { Ok(Self(merged.into())) }
    }
}

impl From<Lines> for Vec<StockLine> {
    fn from(lines: Lines) -> Self {
        lines.0.to_vec()
    }
}

/// The state that a release found and undid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// These lines, which went back into stock.
    Reserved(Lines),
    /// A refusal: it had taken nothing.
    Refused(Refusal),
    /// Nothing: the row is a tombstone, there so that the late reservation takes nothing either.
    Nothing,
}

/// The state of an order's reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// The order has a claim on these units.
    Reserved(Lines),
    /// These units have left the warehouse.
    Committed(Lines),
    /// The order has no claim, and never will have one.
    Released(Undone),
    /// The stock did not cover the order.
    Refused(Refusal),
}

impl Reservation {
    /// The status as it is stored and shown.
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Reserved(_) => "RESERVED",
            Self::Committed(_) => "COMMITTED",
            Self::Released(_) => "RELEASED",
            Self::Refused(_) => "REFUSED",
        }
    }

    /// The lines that are, or were, reserved.
    pub const fn lines(&self) -> Option<&Lines> {
        match self {
            Self::Reserved(lines) | Self::Committed(lines) => Some(lines),
            Self::Released(Undone::Reserved(lines)) => Some(lines),
            Self::Released(Undone::Refused(_) | Undone::Nothing) | Self::Refused(_) => None,
        }
    }

    /// Why it was refused, also where the order was released afterwards.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) | Self::Released(Undone::Refused(refusal)) => Some(refusal),
            Self::Released(Undone::Reserved(_) | Undone::Nothing) => None,
            Self::Reserved(_) | Self::Committed(_) => None,
        }
    }

    /// Puts together what [`status`](Self::status), [`lines`](Self::lines) and
    /// [`refusal`](Self::refusal) took apart. None: they do not belong together.
    pub fn from_parts(
        status: &str,
        lines: Option<Lines>,
        refusal: Option<Refusal>,
    ) -> Option<Self> {
        match (status, lines, refusal) {
            ("RESERVED", Some(lines), None) => Some(Self::Reserved(lines)),
            ("COMMITTED", Some(lines), None) => Some(Self::Committed(lines)),
            ("RELEASED", Some(lines), None) => Some(Self::Released(Undone::Reserved(lines))),
            ("RELEASED", None, Some(refusal)) => Some(Self::Released(Undone::Refused(refusal))),
            ("RELEASED", None, None) => Some(Self::Released(Undone::Nothing)),
            ("REFUSED", None, Some(refusal)) => Some(Self::Refused(refusal)),
            _ => None,
        }
    }

    /// The message about it.
    fn payload(&self) -> Payload {
        match self {
            Self::Reserved(lines) => {
                Payload::Inventory(InventoryMessage::Reserved(lines.clone().into()))
            }
            Self::Committed(_) => Payload::Inventory(InventoryMessage::Committed),
            Self::Released(_) => Payload::Inventory(InventoryMessage::Released),
            Self::Refused(refusal) => Payload::Inventory(InventoryMessage::Failed(refusal.clone())),
        }
    }
}

/// A row of `reservations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservationRow {
    /// The order, whose reservation it is.
    pub order_id: OrderId,
    /// Its state.
    pub reservation: Reservation,
    /// When it became so.
    pub updated_at: Timestamp,
}

impl ReservationRow {
    /// The answer to any command about the order. However often it is given, it is the same
    /// message: each outcome happens once to an order, so that its number is always 0.
    pub fn answer(&self, origin: &Origin) -> Arc<Message> {
        let payload = self.reservation.payload();
        match &self.reservation {
            Reservation::Reserved(_) => Message::new(origin, payload, 0, self.updated_at),
            // Nobody who hears of these needs the order itself.
            Reservation::Committed(_) | Reservation::Released(_) | Reservation::Refused(_) => {
                Message::new(&origin.slim(), payload, 0, self.updated_at)
            }
        }
    }
}
