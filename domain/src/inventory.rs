//! Inventory's rules: what is in stock, and who has a claim on it. Never sells a unit it does not have.
//!
//! A batch ([`Inventory`]) decides each change in turn on the rows that its transaction has locked. A reservation that the
//! locked stock covers is RESERVED, any other is REFUSED. Stale stock in memory therefore never oversells a unit, and
//! never refuses an order that the stock could cover. A CHECK constraint of the table enforces the first of these, too.

mod adjust;
mod change;
mod commit;
mod decide_batch;
mod decision;
mod from_message;
mod movement;
mod release;
mod reservation;
mod reserve;
mod restock;
mod rows;
mod service;

pub use adjust::{Adjustment, AdjustmentKey, AdjustmentOutcome, AdjustmentRecord};
pub use change::{Change, InventoryAnswer, Keys, Rows, Writes};
pub use from_message::change;
pub use movement::{Entry, Movement, MovementRow, Place};
pub use reservation::{Lines, LinesError, Reservation, ReservationRow, Undone};
pub use rows::{Quantity, StockRow};
pub use service::Inventory;
