//! A payment as it is shown to operators. Without the page, whose address is a bearer link.

use super::attention::Attention;
use super::gateway_payment::PaymentTry;
use super::provider::Provider;
use super::requests::Refund;
use super::service::PaymentRow;
use super::state::{End, State};
use super::status::PaymentStatus;
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
    /// The gateway.
    pub provider: Provider,
    /// The amount to be paid. None: the payment was undone before the amount was known.
    pub amount: Option<Money>,
    /// How: by the customer's latest try, or else as ordered.
    pub method: Option<String>,
    /// The amount that the gateway is known to have captured.
    pub captured: Option<Money>,
    /// The amount that the gateway is known to have given back.
    pub refunded: Option<Money>,
    /// The gateway's identifier of the capture.
    pub transaction_id: Option<String>,
    /// Why it ended without money.
    pub reason: Option<String>,
    /// The customer's latest try at a page.
    pub last_try: Option<PaymentTry>,
    /// What a person should know or do.
    pub attention: Option<Attention>,
    /// The refunds that were asked for, oldest first.
    pub refunds: Vec<Refund>,
    /// The evidence of a refund that was made by hand.
    pub note: Option<String>,
    /// How often the gateway was asked anything.
    pub attempts: u32,
    /// When somebody sees to it at the latest. None: it is at rest.
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
        let amount = payment.intent.as_ref().map(|intent| intent.total);
        let money = |minor: i64| {
            let amount = amount.filter(|_| minor > 0)?;
            Some(Money { minor, ..amount })
        };
        let reason = match &payment.state {
            State::Ended { end: End::Declined { reason } | End::Lapsed { reason } } => {
                Some(reason.clone())
            }
            State::Ended { end: End::Expired } => Some("expired".to_owned()),
            _ => None,
        };
        PaymentView {
            order_id: self.order_id,
            status: payment.status(),
            provider: payment.provider,
            amount,
            method: payment.intent.as_ref().map(|_| payment.method().to_owned()),
            captured: money(payment.known.captured_minor),
            refunded: money(payment.known.refunded_minor),
            transaction_id: payment.known.reference.payment.clone(),
            reason,
            last_try: payment.known.last_try.clone(),
            attention: payment.attention,
            refunds: payment.refunds.clone(),
            note: payment.note.clone(),
            attempts: payment.attempts,
            due_at: self.due_at(),
            created_at: payment.created_at,
            updated_at: payment.changed_at,
            version: self.version,
        }
    }
}
