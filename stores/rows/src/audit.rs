//! Entries of the audit log.

use crate::columns::{StoredTime, count};
use crate::error::Corrupt;
use crate::record::record as record_of;
use ordermill_domain::audit::AuditEntry;
use ordermill_domain::ids::OrderId;
use ordermill_domain::reconciliation::{AuditRecord, Record};
use uuid::Uuid;

/// A row of `audit_entries`, as it is read for one order.
pub struct StoredAuditEntry<T> {
    pub position: i64,
    pub event_id: Uuid,
    pub event_type: String,
    pub number: i64,
    pub occurred_at: T,
    pub recorded_at: T,
    pub message: String,
}

impl<T: StoredTime> StoredAuditEntry<T> {
    /// The order's entry.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub fn entry(self, order_id: OrderId) -> Result<AuditEntry, Corrupt> {
        Ok(AuditEntry {
            position: self.position,
            order_id,
            event_id: self.event_id,
            event_type: self.event_type,
            number: count(self.number)?,
            occurred_at: self.occurred_at.timestamp()?,
            recorded_at: self.recorded_at.timestamp()?,
            message: self.message,
        })
    }
}

/// What the audit says of an order: the names of its events, sorted.
pub fn record(order_id: Uuid, mut events: Vec<String>) -> Record<AuditRecord> {
    events.sort_unstable();
    record_of(order_id, Ok(AuditRecord(events)))
}
