//! How ledger entries stand in rows.

use crate::columns::{self, micros};
use crate::error::Error;
use ordermill_domain::gateway::{Booking, Entry, EntryStatus};
use ordermill_domain::ids::OrderId;
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::payment::GatewayKey;
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
        }
    }
}

/// A row, as it is read.
pub struct StoredGatewayEntry {
    pub key: Uuid,
    pub status: String,
    pub order_id: Option<Uuid>,
    pub currency: Option<String>,
    pub amount_minor: Option<i64>,
    pub method: Option<String>,
    pub captured_minor: i64,
    pub refunded_minor: i64,
    pub transaction_id: Option<String>,
    pub charge_attempts: i64,
    pub refund_attempts: i64,
    pub created_at: i64,
    pub changed_at: i64,
}

impl StoredGatewayEntry {
    pub fn into_entry(self) -> Result<Entry, Error> {
        let booking = match (self.order_id, self.currency, self.amount_minor, self.method) {
            (Some(order_id), Some(currency), Some(minor), Some(method)) => {
                let currency = Currency::read(&currency).map_err(Error::corrupt("currency"))?;
                let amount = Money { minor, currency };
                Some(Booking { order_id: OrderId(order_id), amount, method })
            }
            (None, None, None, None) => None,
            _ => return Err(Error::corrupt("ledger entry")("its charge is incomplete")),
        };
        Ok(Entry {
            key: GatewayKey(self.key),
            status: EntryStatus::named(&self.status)
                .ok_or(&self.status)
                .map_err(Error::corrupt("ledger entry's status"))?,
            booking,
            captured_minor: self.captured_minor,
            refunded_minor: self.refunded_minor,
            transaction_id: self.transaction_id,
            charge_attempts: columns::count(self.charge_attempts)?,
            refund_attempts: columns::count(self.refund_attempts)?,
            created_at: columns::time(self.created_at)?,
            changed_at: columns::time(self.changed_at)?,
        })
    }
}
