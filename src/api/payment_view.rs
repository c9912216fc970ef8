//! What an order's payment looks like in answers.

use crate::api::decimal::Decimal;
use crate::api::time::Time;
use crate::api::word::Word;
use ordermill_domain::order::payment_news::KnownRefund;
use ordermill_domain::order::payment_view::OrderPayment;
use ordermill_domain::payment::{Attention, Page, PaymentStatus, PaymentTry, Provider};
use poem_openapi::Object;
use uuid::Uuid;

/// The payment of an order, as the order service records it.
#[derive(Object)]
pub struct OrderPaymentView {
    /// The status of the payment.
    pub status: Word<PaymentStatus>,
    /// The gateway; absent until the payment service has answered.
    #[oai(skip_serializing_if_is_none)]
    pub provider: Option<Word<Provider>>,
    /// The method: that of the customer's latest try, or else the order's.
    pub method: String,
    /// The amount to pay.
    pub amount: Decimal,
    /// The page where the customer can pay; only while it can be paid there. Whoever has the link can open the page:
    /// lists do not contain it.
    #[oai(skip_serializing_if_is_none)]
    pub payment_url: Option<String>,
    /// The time until which it can be paid there.
    pub expires_at: Option<Time>,
    /// The captured amount.
    pub captured: Decimal,
    /// The refunded amount.
    pub refunded: Decimal,
    /// The customer's latest try at the page.
    pub last_try: Option<PaymentTryView>,
    /// The time until which an authorised amount can be captured.
    pub capture_before: Option<Time>,
    /// Refunds while the order went on.
    pub refunds: Vec<OrderRefundView>,
    /// What a person should know or do.
    pub attention: Option<Word<Attention>>,
    /// The gateway's identifier of the captured payment.
    pub transaction_id: Option<String>,
}

/// A try of a customer to pay.
#[derive(Object)]
pub struct PaymentTryView {
    /// The method.
    pub method: String,
    /// `pending`, or `denied`: the customer may try again while the page is open.
    pub outcome: String,
    /// The reason why it was denied.
    pub reason: Option<String>,
}

/// A part of the money that was given back while the order went on.
#[derive(Object)]
pub struct OrderRefundView {
    /// The refund; null if it was made at the gateway.
    pub refund_id: Option<Uuid>,
    /// The amount.
    pub amount: Decimal,
}

impl OrderPaymentView {
    /// A payment without the link of its page.
    pub fn of(payment: &OrderPayment<'_>) -> Self {
        Self {
            status: payment.status.into(),
            provider: payment.provider.map(Word::from),
            method: payment.method.to_owned(),
            amount: Decimal(payment.amount),
            payment_url: None,
            expires_at: payment.page.map(|page| page.expires_at.into()),
            captured: Decimal(payment.captured),
            refunded: Decimal(payment.refunded),
            last_try: payment.last_try.map(PaymentTryView::from),
            capture_before: payment.capture_before.map(Time::from),
            refunds: payment.refunds.iter().map(OrderRefundView::from).collect(),
            attention: payment.attention.map(Word::from),
            transaction_id: payment.transaction_id.map(str::to_owned),
        }
    }

    /// The same with the link: for those who ask for this one order.
    pub fn with_page(self, page: Option<&Page>) -> Self {
        Self { payment_url: page.map(|page| page.url.clone()), ..self }
    }
}

impl From<&PaymentTry> for PaymentTryView {
    fn from(tried: &PaymentTry) -> Self {
        let outcome = if tried.denied.is_some() { "denied" } else { "pending" };
        Self {
            method: tried.method.clone(),
            outcome: outcome.to_owned(),
            reason: tried.denied.clone(),
        }
    }
}

impl From<&KnownRefund> for OrderRefundView {
    fn from(known: &KnownRefund) -> Self {
        let refunded = &known.refunded;
        Self { refund_id: refunded.refund_id, amount: Decimal(refunded.amount) }
    }
}
