//! Audit: every event of every service, kept for good, in the order in which things happened.
//!
//! An event that is stored already was delivered twice and is skipped. Audit publishes nothing, so it does not matter which
//! of the copies was first, and there is nothing to decide.

mod entry;
mod service;

pub use entry::{AuditCursor, AuditEntry};
pub use service::{AuditService, Change};
