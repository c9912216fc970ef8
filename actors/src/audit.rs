//! Audit: how it is fed with events, and how its entries are read.
//!
//! ```text
//!  audit.events ──(one change a bundle)──▶ journal ──▶ audit_entries, append-only
//! ```

mod feed;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod reads;
mod wiring;

#[cfg(any(test, feature = "testing"))]
pub use memory::AuditMemory;
pub use reads::AuditReads;
pub use wiring::wire;
