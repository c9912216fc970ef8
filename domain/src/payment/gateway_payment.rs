//! What a gateway has of a payment: the one answer that it gives to every request.

use crate::clock::Timestamp;
use crate::ids::OrderId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The key of a payment at the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GatewayKey(pub Uuid);

impl GatewayKey {
    /// The key of an order's payment: always the same, never one per attempt.
    pub fn of(order: OrderId) -> Self {
        Self(Uuid::new_v5(&order.0, b"gateway"))
    }

    /// A key for each attempt: only the planted bug asks for it.
    pub(super) fn again(self, attempt: u32) -> Self {
        Self(Uuid::new_v5(&self.0, &attempt.to_be_bytes()))
    }

    /// The key of a part of the payment: a capture or a refund. Always the same for the same name.
    pub fn part(self, name: &str) -> PartKey {
        PartKey(Uuid::new_v5(&self.0, name.as_bytes()))
    }
}

impl fmt::Display for GatewayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The key of a capture or a refund at the gateway: the same however often it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartKey(pub Uuid);

impl fmt::Display for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The gateway's own identifiers of a payment. What is known once is never forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Of the page (Snap: its token).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Of the money (Midtrans: the transaction).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
}

/// A page at which the customer can pay.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// Where it is. Whoever has it can pay and can see what is paid: it is in no log and in no list.
    pub url: String,
    /// Until when it can be paid there.
    pub expires_at: Timestamp,
}

/// Without the address, which is a bearer link.
impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The customer's latest try at the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentTry {
    /// By which method.
    pub method: String,
    /// Why it was denied. None: it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
}

/// How far the gateway is with a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundProgress {
    /// It took the refund; the bank has not confirmed it.
    Pending,
    /// The money is given back.
    Done,
    /// It will not give the money back in this way.
    Refused {
        /// Why.
        reason: String,
    },
}

/// A refund that the gateway knows by our key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayRefund {
    /// Our key.
    pub key: PartKey,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// How far it is.
    pub progress: RefundProgress,
}

/// All that a gateway has of a payment, at some moment between a request and its answer. Amounts are in minor
/// units of the payment's currency; an answer in another currency is [`super::GatewayError::Invalid`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayPayment {
    /// The gateway's identifiers, as far as they are known.
    pub reference: Reference,
    /// The page, while it can be paid there.
    pub page: Option<Page>,
    /// The customer's latest try.
    pub last_try: Option<PaymentTry>,
    /// Authorised and not captured.
    pub held_minor: i64,
    /// Until when what is held can be captured.
    pub capture_before: Option<Timestamp>,
    /// Ever captured: what the customer paid.
    pub captured_minor: i64,
    /// The part of it that pays the order: without fees that the gateway added for the customer.
    pub credited_minor: i64,
    /// Ever given back, as far as the gateway has accepted it; by us or in its dashboard.
    pub refunded_minor: i64,
    /// The refunds that it knows by our keys.
    pub refunds: Vec<GatewayRefund>,
    /// Someone has to accept or deny it at the gateway before its money counts.
    pub in_review: bool,
    /// Nothing can come any more: the page is closed, and no try is under way.
    pub closed: bool,
    /// Refused for good. Only of a payment that needs no page.
    pub refused: Option<String>,
    /// Where it stands in the gateway's own words, for people.
    pub status_text: String,
}
