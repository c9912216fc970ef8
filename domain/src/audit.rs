//! Audit: every event of every service, kept for good, in the order in which things happened.
//!
//! An event that is there already is the same event come again: passed over. Nobody is told of what is kept here, so that
//! nothing hangs on which of the copies was first; and there is nothing to decide.

mod entry;
mod service;

pub use entry::{AuditCursor, AuditEntry};
pub use service::{AuditService, Change};
