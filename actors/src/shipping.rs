//! Shipping: its commands go to the journal, whose batch decides them.
//!
//! A parcel needs no memory between two commands, so there is no actor for it: each command is decided on its row inside of
//! the journal's transaction (`ordermill_domain::shipping`).

mod handler;
#[cfg(any(test, feature = "testing"))]
mod memory;
#[cfg(test)]
mod properties;
mod reads;
mod wiring;

pub use handler::CommandHandler;
#[cfg(any(test, feature = "testing"))]
pub use memory::ShippingMemory;
pub use reads::ShipmentReads;
pub use wiring::wire;
