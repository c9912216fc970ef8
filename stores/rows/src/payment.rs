//! Payments.

use crate::columns::{count, from_json};
use crate::error::Corrupt;
use crate::record::record;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{Payment, PaymentRow};
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
