//! How a row becomes a record of reconciliation.

use crate::error::Corrupt;
use ordermill_domain::ids::OrderId;
use ordermill_domain::reconciliation::Record;
use uuid::Uuid;

/// The record of an order: what its row says, or why the row cannot be read.
pub(crate) fn record<R>(order_id: Uuid, read: Result<R, Corrupt>) -> Record<R> {
    Record { order_id: OrderId(order_id), says: read.map_err(|error| error.to_string()) }
}
