//! How ledger entries stand in rows.

use crate::columns::count;
use crate::error::Error;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::gateway::{Booking, Entry, EntryStatus};
use ordermill_domain::ids::OrderId;
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::payment::GatewayKey;
use uuid::Uuid;

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
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
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
            charge_attempts: count(self.charge_attempts)?,
            refund_attempts: count(self.refund_attempts)?,
            created_at: self.created_at,
            changed_at: self.changed_at,
        })
    }
}
