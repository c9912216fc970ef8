//! Reads of kept events.

use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::audit::{AuditCursor, AuditEntry};
use ordermill_domain::ids::OrderId;

/// Reads kept events.
#[async_trait]
pub trait AuditReads: Send + Sync + 'static {
    /// An order's events in the order in which they happened, then in which they were kept: those
    /// after `after`, `limit` at most.
    async fn events(
        &self,
        order: OrderId,
        after: Option<AuditCursor>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, ReadError>;
}
