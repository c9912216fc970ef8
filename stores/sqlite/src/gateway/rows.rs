//! Ledger entries as JSON parameters.

use crate::columns::micros;
use ordermill_domain::gateway::{Details, Entry, EntryStatus};
use ordermill_domain::money::Currency;
use serde::Serialize;
use uuid::Uuid;

/// A row, as it is bound.
#[derive(Serialize)]
pub struct GatewayEntryRow<'a> {
    key: Uuid,
    status: EntryStatus,
    order_id: Option<Uuid>,
    currency: Option<Currency>,
    amount_minor: Option<i64>,
    method: Option<&'a str>,
    captured_minor: i64,
    refunded_minor: i64,
    transaction_id: Option<&'a str>,
    charge_attempts: u32,
    refund_attempts: u32,
    created_at: i64,
    changed_at: i64,
    details: Option<&'a Details>,
}

impl<'a> From<&'a Entry> for GatewayEntryRow<'a> {
    fn from(entry: &'a Entry) -> Self {
        let booking = entry.booking.as_ref();
        Self {
            key: entry.key.0,
            status: entry.status,
            order_id: booking.map(|booking| booking.order_id.0),
            currency: booking.map(|booking| booking.amount.currency),
            amount_minor: booking.map(|booking| booking.amount.minor),
            method: booking.map(|booking| booking.method.as_str()),
            captured_minor: entry.captured_minor,
            refunded_minor: entry.refunded_minor,
            transaction_id: entry.transaction_id.as_deref(),
            charge_attempts: entry.charge_attempts,
            refund_attempts: entry.refund_attempts,
            created_at: micros(entry.created_at),
            changed_at: micros(entry.changed_at),
            details: Some(&entry.details).filter(|details| !details.is_empty()),
        }
    }
}
