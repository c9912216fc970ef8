//! A kept event.

use crate::clock::Timestamp;
use crate::ids::OrderId;
use uuid::Uuid;

/// A kept event. Its message stays text: what an older version has said can be shown for ever, also
/// when nobody understands it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its place among all that were ever kept: grows, with gaps. Events of one outbox row keep
    /// their order.
    pub position: i64,
    /// The order that it speaks of.
    pub order_id: OrderId,
    /// The event's own id, the same however often it was said.
    pub event_id: Uuid,
    /// Its name.
    pub event_type: String,
    /// 0, and counted on where the same thing may happen twice to one order.
    pub number: u32,
    /// When it happened, in whole microseconds.
    pub occurred_at: Timestamp,
    /// When it was stored here.
    pub recorded_at: Timestamp,
    /// The whole message, envelope and payload, as JSON.
    pub message: String,
}

impl AuditEntry {
    /// Where a list goes on after it.
    pub fn cursor(&self) -> AuditCursor {
        AuditCursor { occurred_at: self.occurred_at, position: self.position }
    }
}

/// A place in an order's list of events: when something happened, then when it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditCursor {
    /// When it happened, in whole microseconds.
    pub occurred_at: Timestamp,
    /// Its place among all entries.
    pub position: i64,
}
