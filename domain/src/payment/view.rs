//! A payment as it is shown.

use super::service::PaymentRow;
use super::state::{PaymentStatus, State};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::money::Money;

/// A payment as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentView {
    /// Whose payment.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// The amount to be paid. None: the payment was undone before the amount was known.
    pub amount: Option<Money>,
    /// How.
    pub method: Option<String>,
    /// The amount that the gateway is known to have captured.
    pub captured: Option<Money>,
    /// The amount that the gateway is known to have refunded.
    pub refunded: Option<Money>,
    /// The gateway's identifier of the capture.
    pub transaction_id: Option<String>,
    /// Why the gateway refused.
    pub reason: Option<String>,
    /// How often the gateway was asked anything.
    pub attempts: u32,
    /// When the gateway is asked again at the latest, while it is asked at all.
    pub due_at: Option<Timestamp>,
    /// When the first command came.
    pub created_at: Timestamp,
    /// When it came to its status.
    pub updated_at: Timestamp,
    /// Counts the row's changes.
    pub version: u64,
}

impl PaymentRow {
    /// The payment as it is shown.
    pub fn view(&self) -> PaymentView {
        let payment = &*self.payment;
        let amount = payment.intent().map(|intent| intent.total);
        let mut view = PaymentView {
            order_id: self.order_id,
            status: payment.status(),
            amount,
            method: payment.intent().map(|intent| intent.method.clone()),
            captured: None,
            refunded: None,
            transaction_id: None,
            reason: None,
            attempts: payment.attempts,
            due_at: self.due_at(),
            created_at: payment.created_at,
            updated_at: payment.changed_at,
            version: self.version,
        };
        match &payment.state {
            State::Charging { .. } | State::Tombstoned => {}
            State::Approved { transaction_id, .. } => {
                view.captured = amount;
                view.transaction_id = Some(transaction_id.clone());
            }
            State::Declined { reason, .. } => view.reason = Some(reason.clone()),
            State::Reversing { transaction_id, .. } => {
                view.captured = amount.filter(|_| transaction_id.is_some());
                view.transaction_id = transaction_id.clone();
            }
            State::Reversed { transaction_id, refunded, .. } => {
                view.captured = *refunded;
                view.refunded = *refunded;
                view.transaction_id = transaction_id.clone();
            }
        }
        view
    }
}
