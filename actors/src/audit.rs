//! Audit: every event of every service, kept for good, in the order in which things happened.
//!
//! ```text
//!  audit.events ──(one change a bundle)──▶ journal ──▶ audit_entries, append-only
//! ```
//!
//! An event that is there already is the same event come again: passed over. Nobody is told of what
//! is kept here, so that nothing hangs on which of the copies was first; and there is nothing to
//! decide.

mod entry;
mod feed;
#[cfg(any(test, feature = "testing"))]
mod memory;
mod reads;
mod service;

pub use entry::{AuditCursor, AuditEntry};
#[cfg(any(test, feature = "testing"))]
pub use memory::AuditMemory;
pub use reads::AuditReads;
pub use service::{AuditService, Change};
