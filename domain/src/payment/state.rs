//! A payment, as its row remembers it.
//!
//! ```text
//!                      ┌───────────── refused ─────────────▶ Declined ─┐
//! Creating ──▶ AwaitingCustomer ──▶ InReview                           │ money turns up
//!    │            │    └─ the page has ended ─▶ Cancelling ─▶ Expired ─┤ (late_money)
//!    ├─ held ─────┴──────▶ Capturing ◀─▶ Authorized                    ▼
//!    └─ captured ────────────▶ Approved ──undo──▶ Refunding ──▶ Reversed
//!  undo of the others ─▶ Cancelling ─▶ Reversed       │
//!                           └─ captured meanwhile ────▶ Refunding
//! (no row) ──undo─▶ Tombstoned: a command that comes late is answered with `payment.reversed`
//! ```

use super::attention::Attention;
use super::gateway_payment::{GatewayKey, Page, PaymentTry, Reference};
use super::gateway_request::Ruling;
use super::provider::Provider;
use super::requests::{Refund, RefundStatus};
use super::status::PaymentStatus;
use crate::clock::Timestamp;
use crate::messages::{Origin, PaymentProcess};
use serde::{Deserialize, Serialize};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Everything that is remembered of a payment. There is none before the first command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The order that it belongs to, as the first message named it; with the order's details where the
    /// next service needs them from `payment.approved`.
    pub origin: Origin,
    /// The amount to be paid, and how. None: it was undone before that was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<PaymentProcess>,
    /// The gateway that it began with.
    #[serde(default, skip_serializing_if = "is_default")]
    pub provider: Provider,
    /// How many requests were made. A request's number tells its answer from those of earlier ones.
    pub attempts: u32,
    /// The first request whose answer can end the payment: those before were made before it came to stand where it
    /// stands.
    pub since: u32,
    /// Where it stands.
    pub state: State,
    /// What is under way at the gateway. None: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asking: Option<Asking>,
    /// When somebody must see to it. None: it is at rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// What the gateway said of its money.
    #[serde(default, skip_serializing_if = "is_default")]
    pub known: Known,
    /// The page's end that was asked for last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_ends_at: Option<Timestamp>,
    /// The refunds that were asked for, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
    /// What a person should know or do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
    /// How often, and how, the gateway is looked at beside its own requests.
    #[serde(default, skip_serializing_if = "is_default")]
    pub looks: Looks,
    /// Rejections in a row of what is asked now.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rejections: u32,
    /// What was told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub published: Published,
    /// The evidence of a refund that was made by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When the first command came.
    pub created_at: Timestamp,
    /// When it came to stand where it stands.
    pub changed_at: Timestamp,
}

/// Where a payment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum State {
    /// The gateway is asked to have the customer pay; what it did is unknown until it answers.
    Creating,
    /// The customer can pay.
    AwaitingCustomer {
        /// Where. None: the page is lost, and a try at it is under way.
        page: Option<Page>,
        /// The number of the request that the page came from: a page of an earlier one is dead.
        attempt: u32,
    },
    /// The gateway has the money, and someone has to accept it.
    InReview {
        /// What a person has ruled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ruling: Option<Ruling>,
    },
    /// The money is held; its capture is asked for after a pause.
    Authorized,
    /// The gateway is asked to capture what it holds.
    Capturing,
    /// The money is captured.
    Approved,
    /// The gateway is asked to see to it that no more money comes.
    Cancelling {
        /// What it ends as then.
        end: End,
        /// It had ended so before.
        #[serde(default, skip_serializing_if = "is_default")]
        late: bool,
    },
    /// The gateway is asked to give back what it has captured.
    Refunding {
        /// What it ends as then.
        end: End,
        /// It had ended so before.
        #[serde(default, skip_serializing_if = "is_default")]
        late: bool,
    },
    /// The gateway holds no money, and can take none any more.
    Ended {
        /// How.
        end: End,
    },
}

/// How a payment ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The gateway refused, or what came was not what was asked for.
    Declined {
        /// A word that programs understand.
        reason: String,
    },
    /// Nobody paid in time.
    Expired,
    /// What was held or approved is gone.
    Lapsed {
        /// `authorization_expired`, `capture_declined` or `reverted`.
        reason: String,
    },
    /// It was undone.
    Reversed,
    /// It was undone before it was ever asked for: the gateway has not heard of it, and never will.
    Tombstoned,
}

/// What is under way at the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asking {
    /// What the state asks for.
    Act,
    /// A look that changes nothing.
    Retrieve,
}

/// What the gateway said of a payment's money, in minor units. What was captured and given back never shrinks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// Its identifiers.
    #[serde(skip_serializing_if = "is_default")]
    pub reference: Reference,
    /// Authorised and not captured.
    #[serde(skip_serializing_if = "is_default")]
    pub held_minor: i64,
    /// Until when what is held can be captured.
    #[serde(skip_serializing_if = "is_default")]
    pub capture_before: Option<Timestamp>,
    /// Captured.
    #[serde(skip_serializing_if = "is_default")]
    pub captured_minor: i64,
    /// The part of it that pays the order.
    #[serde(skip_serializing_if = "is_default")]
    pub credited_minor: i64,
    /// Given back.
    #[serde(skip_serializing_if = "is_default")]
    pub refunded_minor: i64,
    /// It waits for a ruling.
    #[serde(skip_serializing_if = "is_default")]
    pub in_review: bool,
    /// The customer's latest try.
    #[serde(skip_serializing_if = "is_default")]
    pub last_try: Option<PaymentTry>,
}

impl Known {
    /// Captured and not given back.
    pub const fn left_minor(&self) -> i64 {
        self.captured_minor.saturating_sub(self.refunded_minor)
    }
}

/// How the gateway is looked at beside what a state asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Looks {
    /// Looks at a payment that waits for its customer, or has ended.
    #[serde(skip_serializing_if = "is_default")]
    pub polls: u32,
    /// A notification came after the last request was made.
    #[serde(skip_serializing_if = "is_default")]
    pub again: bool,
    /// The most that a notification has claimed.
    #[serde(skip_serializing_if = "is_default")]
    pub claimed_minor: i64,
    /// Looks that did not find what is claimed.
    #[serde(skip_serializing_if = "is_default")]
    pub rechecks: u32,
    /// When the last request was made because of a notification.
    #[serde(skip_serializing_if = "is_default")]
    pub notified_at: Option<Timestamp>,
}

/// What was told of a payment. The numbers tell messages of the same kind apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Published {
    /// When the latest outcome was told first: told again, it is to the letter the same.
    #[serde(skip_serializing_if = "is_default")]
    pub outcome_at: Option<Timestamp>,
    /// How often it was told that the payment is reversed.
    #[serde(skip_serializing_if = "is_default")]
    pub reversals: u32,
    /// Pages.
    #[serde(skip_serializing_if = "is_default")]
    pub pages: u32,
    /// When the latest page was told.
    #[serde(skip_serializing_if = "is_default")]
    pub page_at: Option<Timestamp>,
    /// Updates.
    #[serde(skip_serializing_if = "is_default")]
    pub updates: u32,
    /// Calls for a person.
    #[serde(skip_serializing_if = "is_default")]
    pub attentions: u32,
    /// Refunds.
    #[serde(skip_serializing_if = "is_default")]
    pub refunds: u32,
}

impl Payment {
    /// A payment of which nothing is known yet.
    pub(super) fn new(origin: &Origin, at: Timestamp) -> Self {
        Self {
            origin: origin.clone(),
            intent: None,
            provider: Provider::default(),
            attempts: 0,
            since: 1,
            state: State::Creating,
            asking: None,
            due_at: None,
            known: Known::default(),
            page_ends_at: None,
            refunds: Vec::new(),
            attention: None,
            looks: Looks::default(),
            rejections: 0,
            published: Published::default(),
            note: None,
            created_at: at,
            changed_at: at,
        }
    }

    /// The word for where it stands.
    pub const fn status(&self) -> PaymentStatus {
        match &self.state {
            State::Creating => PaymentStatus::Pending,
            State::AwaitingCustomer { .. } => PaymentStatus::AwaitingCustomer,
            State::InReview { .. } => PaymentStatus::InReview,
            State::Authorized | State::Capturing => PaymentStatus::Authorized,
            State::Approved if self.known.refunded_minor <= 0 => PaymentStatus::Approved,
            State::Approved if self.known.refunded_minor < self.known.credited_minor => {
                PaymentStatus::PartiallyRefunded
            }
            State::Approved => PaymentStatus::Refunded,
            // Until the page is closed nobody has been told anything.
            State::Cancelling { end: End::Expired, late: false } => PaymentStatus::Pending,
            State::Cancelling { .. } | State::Refunding { .. } => PaymentStatus::Reversing,
            State::Ended { end } => end.status(),
        }
    }

    /// The payment's key at the gateway.
    pub fn key(&self) -> GatewayKey {
        GatewayKey::of(self.origin.order_id)
    }

    /// The amount to be paid, in minor units; 0: unknown.
    pub(super) fn due_minor(&self) -> i64 {
        self.intent.as_ref().map_or(0, |intent| intent.total.minor)
    }

    /// The method: that of the customer's latest try, or else the order's.
    pub fn method(&self) -> &str {
        let intent = self.intent.as_ref().map_or("", |intent| &intent.method);
        self.known.last_try.as_ref().map_or(intent, |latest| &latest.method)
    }

    /// True when there was a page at which the customer could pay.
    pub const fn had_page(&self) -> bool {
        self.published.pages > 0
            || self.known.reference.page.is_some()
            || matches!(self.state, State::AwaitingCustomer { .. })
    }

    /// Nobody has to know any more that a refund was refused.
    pub(super) fn forget_refused_refund(&mut self) {
        self.attention = self.attention.filter(|known| *known != Attention::RefundRefused);
    }

    /// A person has to act before anything goes on.
    pub(super) fn waits_for_person(&self) -> bool {
        self.attention.is_some_and(Attention::needs_person)
    }

    /// The refund that the gateway has to be asked for next.
    pub(super) fn next_refund(&self) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.status == RefundStatus::Asked)
    }

    /// True when the state itself asks something of the gateway.
    pub(super) fn wants_to_act(&self) -> bool {
        match &self.state {
            State::Creating | State::Authorized | State::Capturing => true,
            State::InReview { ruling } => ruling.is_some(),
            State::Approved => self.next_refund().is_some(),
            State::Cancelling { .. } | State::Refunding { .. } => !self.waits_for_person(),
            State::AwaitingCustomer { .. } | State::Ended { .. } => false,
        }
    }

    /// How many requests were made since it came to stand where it stands.
    pub(super) fn requests(&self) -> u32 {
        (self.attempts + 1).saturating_sub(self.since)
    }
}

impl End {
    /// The word for a payment that ended so.
    pub(super) const fn status(&self) -> PaymentStatus {
        match self {
            Self::Declined { .. } => PaymentStatus::Failed,
            Self::Expired => PaymentStatus::Expired,
            Self::Lapsed { .. } => PaymentStatus::Lapsed,
            Self::Reversed | Self::Tombstoned => PaymentStatus::Reversed,
        }
    }

    pub(super) fn declined(reason: &str) -> Self {
        Self::Declined { reason: reason.to_owned() }
    }

    pub(super) fn lapsed(reason: &str) -> Self {
        Self::Lapsed { reason: reason.to_owned() }
    }
}
