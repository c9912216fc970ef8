//! Payments, and the notifications of gateways.

use crate::columns::{StoredTime, count, from_json};
use crate::error::{Corrupt, corrupt};
use crate::record::record;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    Attention, EventKey, KnownNotifications, NotificationRow, Payment, PaymentRow, Provider,
};
use ordermill_domain::reconciliation::{PaymentRecord, Record};
use std::sync::Arc;
use uuid::Uuid;

/// A row of `payments`, as it is read.
pub struct StoredPayment {
    pub order_id: Uuid,
    pub version: i64,
    pub payment: String,
}

impl StoredPayment {
    /// The payment that the row stands for.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub fn payment(self) -> Result<PaymentRow, Corrupt> {
        let payment: Payment = from_json("payment", &self.payment)?;
        let (order_id, version) = (OrderId(self.order_id), count(self.version)?);
        Ok(PaymentRow { order_id, version, payment: Arc::new(payment) })
    }

    /// What the payment service says of the order.
    pub fn record(self) -> Record<PaymentRecord> {
        record(self.order_id, self.payment().map(|row| (&row.view()).into()))
    }
}

/// How many payments need a person's attention for a reason.
///
/// # Errors
///
/// When a column cannot be read.
pub fn attention_count(attention: &str, payments: i64) -> Result<(Attention, u64), Corrupt> {
    let known = Attention::ALL.iter().copied().find(|known| known.as_str() == attention);
    Ok((known.ok_or(attention).map_err(corrupt("attention"))?, count(payments)?))
}

/// A row of `payment_notifications`, as it is read.
pub struct StoredPaymentNotification<T> {
    pub id: Uuid,
    pub provider: String,
    pub reference: String,
    pub event_key: Vec<u8>,
    pub order_id: Option<Uuid>,
    pub received_at: T,
    pub times: i64,
    pub text: String,
}

impl<T: StoredTime> StoredPaymentNotification<T> {
    /// The row, without the body.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub fn row(self) -> Result<NotificationRow, Corrupt> {
        Ok(NotificationRow {
            id: self.id,
            provider: provider(&self.provider)?,
            reference: self.reference,
            event_key: event_key(&self.event_key)?,
            order_id: self.order_id.map(OrderId),
            received_at: self.received_at.timestamp()?,
            times: count(self.times)?,
            text: self.text,
        })
    }
}

/// The key of a row of `payment_notifications`, as a batch reads it.
pub struct StoredEventKey {
    pub provider: String,
    pub reference: String,
    pub event_key: Vec<u8>,
}

/// The notifications that are stored, from the keys of their rows.
///
/// # Errors
///
/// When a column cannot be read.
pub fn known_notifications(rows: Vec<StoredEventKey>) -> Result<KnownNotifications, Corrupt> {
    let mut known = KnownNotifications::new();
    for row in rows {
        let name = (provider(&row.provider)?, row.reference);
        known.entry(name).or_default().insert(event_key(&row.event_key)?);
    }
    Ok(known)
}

fn provider(name: &str) -> Result<Provider, Corrupt> {
    Provider::named(name).ok_or(name).map_err(corrupt("payment gateway"))
}

fn event_key(bytes: &[u8]) -> Result<EventKey, Corrupt> {
    bytes.try_into().map_err(corrupt("SHA-256 of a notification"))
}
