//! The ledger of the simulated payment gateway.

use crate::columns::{StoredTime, count, from_json};
use crate::error::{Corrupt, corrupt};
use ordermill_domain::gateway::{Booking, Details, Entry, EntryStatus};
use ordermill_domain::ids::OrderId;
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::payment::GatewayKey;
use ordermill_domain::reconciliation::{LedgerEntry, LedgerRecord, Record};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A row of `gateway_ledger`, as it is read.
pub struct StoredGatewayEntry<T> {
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
    pub created_at: T,
    pub changed_at: T,
    pub details: Option<String>,
}

impl<T: StoredTime> StoredGatewayEntry<T> {
    /// The entry.
    ///
    /// # Errors
    ///
    /// When a column cannot be read, or only some columns of a requested payment are there.
    pub fn entry(self) -> Result<Entry, Corrupt> {
        let booking = match (self.order_id, self.currency, self.amount_minor, self.method) {
            (Some(order_id), Some(currency), Some(minor), Some(method)) => {
                let currency = Currency::read(&currency).map_err(corrupt("currency"))?;
                let amount = Money { minor, currency };
                Some(Booking { order_id: OrderId(order_id), amount, method })
            }
            (None, None, None, None) => None,
            _ => return Err(corrupt("ledger entry")("the requested payment is incomplete")),
        };
        let details = match &self.details {
            Some(details) => from_json("ledger entry's details", details)?,
            None => Details::default(),
        };
        Ok(Entry {
            details,
            key: GatewayKey(self.key),
            status: EntryStatus::named(&self.status)
                .ok_or(&self.status)
                .map_err(corrupt("ledger entry's status"))?,
            booking,
            captured_minor: self.captured_minor,
            refunded_minor: self.refunded_minor,
            transaction_id: self.transaction_id,
            charge_attempts: count(self.charge_attempts)?,
            refund_attempts: count(self.refund_attempts)?,
            created_at: self.created_at.timestamp()?,
            changed_at: self.changed_at.timestamp()?,
        })
    }
}

/// What the ledger says of each order, in the order of their ids. An order may have been charged under several keys;
/// if one of its entries cannot be read, that is all that is said of it.
pub fn records<T: StoredTime>(rows: Vec<StoredGatewayEntry<T>>) -> Vec<Record<LedgerRecord>> {
    let mut orders: BTreeMap<OrderId, Result<LedgerRecord, String>> = BTreeMap::new();
    for row in rows {
        let Some(order) = row.order_id.map(OrderId) else { continue };
        let of_order = orders.entry(order).or_insert_with(|| Ok(LedgerRecord::default()));
        match (row.entry(), of_order) {
            (Ok(entry), Ok(record)) => record.0.extend(LedgerEntry::of(&entry)),
            (Err(error), of_order) => *of_order = Err(error.to_string()),
            (Ok(_), Err(_)) => {}
        }
    }
    orders.into_iter().map(|(order_id, says)| Record { order_id, says }).collect()
}
