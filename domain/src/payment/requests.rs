//! What people ask of a payment: a refund while the order goes on, a ruling on a review, and that a refund was made by
//! hand.

use super::gateway_payment::{GatewayKey, PartKey};
use super::gateway_request::Ruling;
use super::stored_notifications::NotificationOutcome;
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::messages::{Line, StockLine};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use thiserror::Error;
use uuid::Uuid;

/// Refunds of one payment at the most: far above any honest use, and few enough to be kept in its row.
pub const REFUNDS_MAX: usize = 50;

/// A request of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentRequest {
    /// Give a part of the money back.
    Refund(RefundRequest),
    /// Accept or deny what is in review.
    Review(Ruling),
    /// The refund that the gateway cannot make was made by hand. Closes the matter for good.
    RefundedByHand {
        /// The only evidence.
        note: String,
    },
}

/// A refund that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundRequest {
    /// Made from the order and the request's idempotency key: the same request is the same refund.
    pub refund_id: Uuid,
    /// What is given back.
    pub what: RefundWhat,
    /// The order's lines, which the amounts of lines follow from.
    pub ordered: Vec<Line>,
    /// For the gateway's books and for people.
    pub reason: String,
}

impl RefundRequest {
    /// The id of the refund that is asked for under an idempotency key.
    pub fn id_of(order: OrderId, idempotency_key: &str) -> Uuid {
        let name = format!("refund:{idempotency_key}");
        Uuid::new_v5(&order.0, name.as_bytes())
    }
}

/// What a refund gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundWhat {
    /// Units of lines.
    Lines(Vec<StockLine>),
    /// An amount, in minor units of the order's currency.
    Amount(i64),
    /// All that is left.
    Rest,
}

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundStatus {
    /// The gateway has not answered yet.
    Asked,
    /// The gateway took it; the bank has not confirmed it.
    Pending,
    /// The money is given back.
    Done,
    /// The gateway will not give it back in this way.
    Refused,
}

impl RefundStatus {
    /// Every status.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A refund of a payment, as its row remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refund {
    /// Its id.
    pub refund_id: Uuid,
    /// What is given back.
    pub what: RefundWhat,
    /// How much that is, in minor units.
    pub amount_minor: i64,
    /// Why.
    pub reason: String,
    /// How far it is.
    pub status: RefundStatus,
    /// Why the gateway refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it came to its status.
    pub changed_at: Timestamp,
}

impl Refund {
    /// Its key at the gateway: the same however often it is asked for.
    pub fn key(&self, payment: GatewayKey) -> PartKey {
        payment.part(&format!("refund:{}", self.refund_id))
    }
}

/// What became of an input of a payment that somebody waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PaymentReply {
    /// It is taken.
    #[default]
    Taken,
    /// The refund as it stands.
    Refund(Box<Refund>),
    /// What became of the notification in the database.
    Notification(NotificationOutcome),
    /// It is not taken, and nothing is changed.
    Refused(RequestRefused),
}

/// Why a request is not taken.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestRefused {
    /// The order has no payment yet.
    #[error("the order has no payment yet")]
    NotFound,
    /// Not as the payment stands.
    #[error("{0}")]
    Conflict(String),
    /// Not this, whatever the state.
    #[error("`{field}`: {text}")]
    Invalid {
        /// The field.
        field: String,
        /// What is wrong with it, and what was expected.
        text: String,
    },
}
