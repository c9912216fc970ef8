//! An entry of the ledger: all that the simulated gateway has under one key.
//!
//! ```text
//! Asked ──create──▶ Charged ──refunds of all of it, a denied review──▶ Refunded
//!   │ ├───create──▶ Declined
//!   │ ├───create──▶ Open ──the customer pays──▶ Charged
//!   └─┴───cancel──▶ Cancelled: a create that comes later is refused
//! ```

use super::methods::{GatewayPolicy, Method};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::money::Money;
use crate::payment::{
    GatewayKey, GatewayPayment, GatewayRefund, Page, PartKey, PaymentTry, Reference, RefundProgress,
};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// The ledger's entry under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The key.
    pub key: GatewayKey,
    /// Where it stands.
    pub status: EntryStatus,
    /// The requested payment. None: the key was closed before any was requested.
    pub booking: Option<Booking>,
    /// The captured amount, in minor units of the booking's currency.
    pub captured_minor: i64,
    /// The refunded part of it.
    pub refunded_minor: i64,
    /// The gateway's identifier of the capture, once there is one.
    pub transaction_id: Option<String>,
    /// How often the payment was requested.
    pub charge_attempts: u32,
    /// How often a refund was requested, refused or not.
    pub refund_attempts: u32,
    /// When the key was first heard of.
    pub created_at: Timestamp,
    /// When the entry came to its status.
    pub changed_at: Timestamp,
    /// What most payments do not have.
    pub details: Details,
}

/// A requested payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// The order.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// How.
    pub method: String,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum EntryStatus {
    /// Heard of; nothing is booked.
    Asked,
    /// The customer can pay at the page, until it ends.
    Open,
    /// The money is captured, and not all of it is refunded.
    Charged,
    /// Refused for good.
    Declined,
    /// Closed for good; nothing was captured before.
    Cancelled,
    /// All money is refunded, for good.
    Refunded,
}

impl EntryStatus {
    /// Every status.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The status of a word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.as_str() == word)
    }
}

/// What only payments with a page, a review or a refund have: stored as one column, which is null for all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// When the page ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_ends_at: Option<Timestamp>,
    /// Why the customer's latest try was denied. None: there was no try, or the latest was not denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
    /// True when the customer's latest try is pending, for as long as the page is open.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_chosen: bool,
    /// When the money arrives of a customer who was on the page when it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_at: Option<Timestamp>,
    /// How far the review is. None: the payment needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The refunds by their keys, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<LedgerRefund>,
}

impl Details {
    /// True when there is nothing to store.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How far a review is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// Nobody has decided it.
    Waiting,
    /// The money counts.
    Accepted,
    /// The money was released.
    Denied,
}

/// A refund that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRefund {
    /// Its key.
    pub key: PartKey,
    /// How much, in minor units of the booking's currency.
    pub amount_minor: i64,
}

impl Entry {
    /// A key that is heard of for the first time.
    pub fn new(key: GatewayKey, at: Timestamp) -> Self {
        Self {
            key,
            status: EntryStatus::Asked,
            booking: None,
            captured_minor: 0,
            refunded_minor: 0,
            transaction_id: None,
            charge_attempts: 0,
            refund_attempts: 0,
            created_at: at,
            changed_at: at,
            details: Details::default(),
        }
    }

    /// The money that the gateway has and has not given back, in minor units.
    pub fn held_minor(&self) -> i64 {
        self.captured_minor - self.refunded_minor
    }

    /// True when money was captured, refunded or not.
    pub fn is_captured(&self) -> bool {
        self.transaction_id.is_some()
    }

    /// True when money has arrived by `now` that is not booked yet.
    pub fn is_late_money_due(&self, now: Timestamp) -> bool {
        self.details.late_at.is_some_and(|late_at| late_at <= now)
    }

    /// True while the customer can pay at the page.
    pub fn is_page_open(&self, now: Timestamp) -> bool {
        self.status == EntryStatus::Open && self.details.page_ends_at.is_some_and(|end| now < end)
    }

    /// True while somebody has to accept or deny the payment.
    pub fn is_in_review(&self) -> bool {
        self.details.review == Some(Review::Waiting)
    }

    /// The answer to every request that succeeds.
    pub fn payment(&self, policy: &GatewayPolicy, now: Timestamp) -> GatewayPayment {
        let page_ends_at = self.details.page_ends_at;
        GatewayPayment {
            reference: Reference {
                page: page_ends_at.map(|_| self.key.to_string()),
                payment: self.transaction_id.clone(),
            },
            page: page_ends_at
                .filter(|_| self.is_page_open(now))
                .map(|expires_at| Page { url: policy.page_url(self.key), expires_at }),
            last_try: self.last_try(now),
            held_minor: 0,
            capture_before: None,
            captured_minor: self.captured_minor,
            credited_minor: self.captured_minor,
            refunded_minor: self.refunded_minor,
            refunds: self.refunds(),
            in_review: self.is_in_review(),
            closed: self.is_closed(now),
            refused: self.refused().map(str::to_owned),
            status_text: self.status.as_str().to_lowercase(),
        }
    }

    /// True when nothing can come any more. Of money that comes late nobody knows before it is there.
    fn is_closed(&self, now: Timestamp) -> bool {
        match self.status {
            EntryStatus::Asked => false,
            EntryStatus::Open => !self.is_page_open(now),
            EntryStatus::Charged => !self.is_in_review(),
            EntryStatus::Declined | EntryStatus::Cancelled | EntryStatus::Refunded => true,
        }
    }

    fn refused(&self) -> Option<&'static str> {
        let needs_page = self.method().is_some_and(Method::needs_page);
        match self.status {
            EntryStatus::Declined => Some("declined"),
            EntryStatus::Cancelled if self.booking.is_some() && !needs_page => Some("cancelled"),
            EntryStatus::Asked
            | EntryStatus::Open
            | EntryStatus::Charged
            | EntryStatus::Cancelled
            | EntryStatus::Refunded => None,
        }
    }

    fn last_try(&self, now: Timestamp) -> Option<PaymentTry> {
        let denied = self.details.denied.clone();
        let is_pending = self.details.is_chosen && self.is_page_open(now);
        let method = self.booking.as_ref()?.method.clone();
        (denied.is_some() || is_pending).then_some(PaymentTry { method, denied })
    }

    fn refunds(&self) -> Vec<GatewayRefund> {
        let done = |refund: &LedgerRefund| GatewayRefund {
            key: refund.key,
            amount_minor: refund.amount_minor,
            progress: RefundProgress::Done,
        };
        self.details.refunds.iter().map(done).collect()
    }

    /// How the gateway treats the payment. None: none was requested.
    pub(super) fn method(&self) -> Option<Method> {
        self.booking.as_ref().map(|booking| Method::named(&booking.method))
    }

    pub(super) fn stand(&mut self, status: EntryStatus, at: Timestamp) {
        self.status = status;
        self.changed_at = at;
    }
}
