//! The rules of a parcel: scheduled, cancelled, handed to the carrier, delivered.
//!
//! ```text
//!             ┌──────────▶ SCHEDULED ──dispatch──▶ DISPATCHED ──deliver──▶ DELIVERED
//!  schedule ──┤                │
//!             └─▶ FAILED ──cancel──▶ CANCELLED ◀──cancel── (nothing yet: a tombstone)
//! ```
//!
//! An order has one parcel and one row; every command is answered by the row's *latest* outcome, under that outcome's own
//! event id, so that a command may come as often as it likes.
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
mod from_message;
mod policy;
mod schedule;
mod service;
mod shipment;

pub use carrier::UNDELIVERABLE_POSTAL_CODE;
pub use change::{Change, Command, ShippingAnswer};
pub use from_message::change;
pub use policy::ShippingPolicy;
pub use service::{Shipping, Writes};
pub use shipment::{Parcel, Shipment, ShipmentState, ShipmentStatus, Undone, WORD_CANCELLED};
