//! Shipping: schedules an order's parcel, cancels it, hands it to the carrier, notes its delivery.
//!
//! ```text
//!             ┌──────────▶ SCHEDULED ──dispatch──▶ DISPATCHED ──deliver──▶ DELIVERED
//!  schedule ──┤                │
//!             └─▶ FAILED ──cancel──▶ CANCELLED ◀──cancel── (nothing yet: a tombstone)
//! ```
//!
//! A parcel needs no memory between two commands, so there is no actor for it: each command is
//! decided on its row inside of the journal's transaction. An order has one parcel and one row;
//! every command is answered by the row's *latest* outcome, under that outcome's own event id, so
//! that a command may come as often as it likes.
//!
//! The carrier is simulated, and so is deterministic: everything about a parcel follows from its
//! order's id and the time at which it was scheduled.

mod cancel;
mod carrier;
mod change;
mod decision;
mod deliver;
mod dispatch;
mod freight;
mod handler;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod policy;
#[cfg(test)]
mod properties;
mod reads;
mod schedule;
mod service;
mod shipment;

pub use carrier::UNDELIVERABLE_POSTAL_CODE;
pub use change::{Change, Command, ShippingAnswer};
pub use handler::{CommandHandler, change};
#[cfg(any(test, feature = "testing"))]
pub use memory::ShippingMemory;
pub use policy::ShippingPolicy;
pub use reads::ShipmentReads;
pub use service::{Shipping, Writes};
pub use shipment::{Parcel, Shipment, ShipmentState, ShipmentStatus, Undone, WORD_CANCELLED};
