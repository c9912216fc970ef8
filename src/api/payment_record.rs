//! What a payment looks like as the payment service records it.

use crate::api::decimal::Decimal;
use crate::api::payment_view::PaymentTryView;
use crate::api::refunds::RefundView;
use crate::api::time::Time;
use crate::api::word::Word;
use ordermill_domain::payment::{Attention, PaymentStatus, PaymentView, Provider};
use poem_openapi::Object;
use uuid::Uuid;

/// A payment, as the payment service records it.
#[derive(Object)]
pub struct PaymentRecord {
    /// The order.
    pub order_id: Uuid,
    /// The status.
    status: Word<PaymentStatus>,
    /// The gateway.
    provider: Word<Provider>,
    /// The amount to pay; null if the payment was reversed before the amount was known.
    amount: Option<Decimal>,
    /// The currency of all amounts, an ISO 4217 code.
    currency: Option<String>,
    /// The amount that the gateway has captured.
    captured: Option<Decimal>,
    /// The amount that the gateway has refunded.
    refunded: Option<Decimal>,
    /// The payment method.
    method: Option<String>,
    /// The gateway's identifier.
    transaction_id: Option<String>,
    /// The reason why the gateway declined.
    reason: Option<String>,
    /// The customer's latest try at the page.
    last_try: Option<PaymentTryView>,
    /// What a person should know or do.
    attention: Option<Word<Attention>>,
    /// The refunds that were requested, oldest first.
    refunds: Vec<RefundView>,
    /// The note of a refund that a person made.
    note: Option<String>,
    /// Number of requests to the gateway.
    attempts: u32,
    /// The time of the request.
    created_at: Time,
    /// The time of the last change.
    updated_at: Time,
}

impl From<PaymentView> for PaymentRecord {
    fn from(payment: PaymentView) -> Self {
        let order = payment.order_id;
        let currency = payment.amount.map(|amount| amount.currency);
        // There are refunds only of a payment whose amount is known.
        let refunds = currency.map(|currency| {
            let refunds = payment.refunds.into_iter();
            refunds.map(|refund| RefundView::of(order, currency, refund)).collect()
        });
        Self {
            order_id: order.0,
            status: payment.status.into(),
            provider: payment.provider.into(),
            amount: payment.amount.map(Decimal),
            currency: currency.map(|currency| currency.code().to_owned()),
            captured: payment.captured.map(Decimal),
            refunded: payment.refunded.map(Decimal),
            method: payment.method,
            transaction_id: payment.transaction_id,
            reason: payment.reason,
            last_try: payment.last_try.as_ref().map(PaymentTryView::from),
            attention: payment.attention.map(Word::from),
            refunds: refunds.unwrap_or_default(),
            note: payment.note,
            attempts: payment.attempts,
            created_at: payment.created_at.into(),
            updated_at: payment.updated_at.into(),
        }
    }
}
