//! Inventory: what is in stock, and who has a claim on it. Never sells a unit it does not have.
//!
//! ```text
//!  inventory.*
//!        │ reserve                                  release, commit
//!        ▼                                                 │
//!  commands ─▶ request ─▶ sku/A ─▶ sku/B ─┐                │
//!              (carries its holds along)  ▼                ▼
//!                                      journal: lock the rows, decide each change in turn
//!                                         │
//!              sku/A, sku/B ◀── the rows as they were committed
//! ```
//!
//! There are two steps, and only the second one decides:
//!
//! - A SKU actor (`sku`) serialises the reservations of its product in memory. It lets pass what the
//!   stock covers, and lets wait what is short only because of holds that are still being decided.
//! - The batch (`decide_batch`) decides on the rows that the transaction has locked. What fits is
//!   RESERVED, what does not is REFUSED: the locked row is the committed view that a refusal needs.
//!
//! So no memory, however stale, oversells a unit or refuses an order that the stock could cover.
//! A CHECK constraint of the table stands behind both.

mod adjust;
mod change;
mod commands;
mod commit;
mod decide_batch;
mod decision;
mod ledger;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod movement;
mod reads;
mod release;
mod request;
mod reservation;
mod reserve;
mod restock;
mod retention;
mod rows;
mod service;
mod sku;
mod stock;
mod stock_levels;

pub use adjust::{Adjustment, AdjustmentKey, AdjustmentOutcome, AdjustmentRecord};
pub use change::{Change, InventoryAnswer, Keys, Rows, Writes};
pub use commands::{CommandHandler, change};
pub use ledger::movements;
#[cfg(any(test, feature = "testing"))]
pub use memory::InventoryTables;
pub use movement::{Entry, Movement, MovementRow, Place};
pub use reads::InventoryReads;
pub use request::{ReservationRequest, WAIT_MAX};
pub use reservation::{Lines, LinesError, Reservation, ReservationRow, Undone};
pub use retention::{AdjustmentKeys, Movements};
pub use rows::{Quantity, StockRow};
pub use service::Inventory;
pub use sku::{IDLE_AFTER, SkuKind, Skus};
pub use stock::{AdjustError, Adjusted, CreateError, SetError, Stock};
pub use stock_levels::WAITERS_MAX;
