//! What is read of kept events.

use super::entry::{AuditCursor, AuditEntry};
use crate::ids::OrderId;
use crate::ports::ReadError;
use async_trait::async_trait;

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
