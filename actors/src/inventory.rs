//! Inventory: how reservations reach the batch that decides them.
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
//! A SKU actor (`sku`) serialises the reservations of its product in memory. It lets pass what the stock covers, and lets
//! wait what is short only because of holds that are still being decided. It decides nothing for good: the batch does
//! (`ordermill_domain::inventory`).

mod commands;
mod ledger;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod reads;
mod request;
mod retention;
mod sku;
mod stock;
mod stock_levels;
mod wiring;

pub use commands::CommandHandler;
pub use ledger::movements;
#[cfg(any(test, feature = "testing"))]
pub use memory::InventoryTables;
pub use reads::InventoryReads;
pub use request::{ReservationRequest, WAIT_MAX};
pub use retention::{AdjustmentKeys, Movements};
pub use sku::{IDLE_AFTER, SkuKind, Skus};
pub use stock::{AdjustError, Adjusted, CreateError, SetError, Stock};
pub use stock_levels::WAITERS_MAX;
pub use wiring::{InventorySettings, wire};
