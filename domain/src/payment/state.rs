//! A payment, as its row remembers it.
//!
//! ```text
//!           ┌────────▶ Approved ───refund──▶ Reversing ──▶ Reversed
//! Charging ─┼────────▶ Declined ──refund──────────────────▶    ▲
//!           └─refund─▶ Reversing (void: the outcome is unknown) ┘
//! (no row) ───refund─▶ Forestalled: what comes late is answered with `payment.reversed`
//! ```
//!
//! Money that turns up on a payment that is not Charging or Approved leads (back) to Reversing.

use super::charge::ChargeRequest;
use super::gateway_payment::GatewayKey;
use crate::clock::Timestamp;
use crate::messages::{
    Message, Origin, Payload, PaymentApproved, PaymentMessage, PaymentProcess, Refusal,
};
use crate::money::Money;
use crate::planted::{Bug, planted};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use strum::{IntoStaticStr, VariantArray};

/// Everything that is remembered of a payment. There is none before the first command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The order that it belongs to, as the first message named it; with the order's details where the
    /// next service needs them from `payment.approved`.
    pub origin: Origin,
    /// How often the gateway was asked anything. The number of a question tells its answer from
    /// those of questions that were given up.
    pub attempts: u32,
    /// How often it was reversed: again, when money turned up after all.
    pub reversals: u32,
    /// Where it stands.
    pub state: State,
    /// When the first command came.
    pub created_at: Timestamp,
    /// When it came to stand where it stands.
    pub changed_at: Timestamp,
}

/// Where a payment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum State {
    /// The gateway is asked to capture the money; what it did is unknown until it answers.
    Charging {
        /// The amount to be paid, and how.
        intent: PaymentProcess,
        /// How asking goes.
        asking: GatewayAttempts,
    },
    /// The money is captured.
    Approved {
        /// The paid amount, and how.
        intent: PaymentProcess,
        /// The gateway's identifier of the capture.
        transaction_id: String,
    },
    /// The gateway refused.
    Declined {
        /// The amount that was to be paid, and how.
        intent: PaymentProcess,
        /// Its reason.
        reason: String,
    },
    /// The gateway is asked to give back what it has, or may have, captured.
    Reversing {
        /// The amount that was to be paid, and how.
        intent: PaymentProcess,
        /// How it is undone.
        undo: Undo,
        /// The gateway's identifier of the capture, where one is known.
        transaction_id: Option<String>,
        /// How asking goes.
        asking: GatewayAttempts,
    },
    /// The gateway holds no money, and never will.
    Reversed {
        /// The amount that was to be paid, and how.
        intent: PaymentProcess,
        /// The gateway's identifier of the capture, where one is known.
        transaction_id: Option<String>,
        /// The refunded amount. None: nothing had been captured.
        refunded: Option<Money>,
    },
    /// It was undone before it was ever asked for: the gateway has not heard of it, and never will.
    Tombstoned,
}

/// How asking the gateway goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayAttempts {
    /// The number of the first question that is still of interest: what was asked earlier was
    /// asked in ignorance of what is known since.
    pub since: u32,
    /// When the last question counts as lost, and whoever finds the row asks again.
    pub due_at: Timestamp,
}

/// How a payment is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// The key is closed, and what may have been captured under it is refunded.
    Void,
    /// Refund the captured amount.
    Refund,
}

/// The word for where a payment stands, in answers and lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentStatus {
    /// The gateway has not answered yet.
    Pending,
    /// There is a page, and the customer has not paid there yet.
    AwaitingCustomer,
    /// Someone has to accept or deny it at the gateway.
    InReview,
    /// The money is held for us, and not captured.
    Authorized,
    /// The money is captured.
    Approved,
    /// A part of the captured money is given back.
    PartiallyRefunded,
    /// All of the captured money is given back, on request.
    Refunded,
    /// The gateway refused.
    Failed,
    /// The customer did not pay in time.
    Expired,
    /// The money that was approved is gone again.
    Lapsed,
    /// The money is on its way back.
    Reversing,
    /// No money is held.
    Reversed,
}

impl PaymentStatus {
    /// Every status.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A question to the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Capture this.
    Charge(ChargeRequest),
    /// Close this key.
    Void(GatewayKey),
    /// Give this back.
    Refund(GatewayKey, Money),
}

impl Payment {
    /// The word for where it stands.
    pub const fn status(&self) -> PaymentStatus {
        match self.state {
            State::Charging { .. } => PaymentStatus::Pending,
            State::Approved { .. } => PaymentStatus::Approved,
            State::Declined { .. } => PaymentStatus::Failed,
            State::Reversing { .. } => PaymentStatus::Reversing,
            State::Reversed { .. } | State::Tombstoned => PaymentStatus::Reversed,
        }
    }

    /// The amount to be paid, and how. None: the payment was undone before that was known.
    pub const fn intent(&self) -> Option<&PaymentProcess> {
        match &self.state {
            State::Charging { intent, .. }
            | State::Approved { intent, .. }
            | State::Declined { intent, .. }
            | State::Reversing { intent, .. }
            | State::Reversed { intent, .. } => Some(intent),
            State::Tombstoned => None,
        }
    }

    /// How asking the gateway goes. None: it is not asked anything.
    pub const fn asking(&self) -> Option<GatewayAttempts> {
        match self.state {
            State::Charging { asking, .. } | State::Reversing { asking, .. } => Some(asking),
            State::Approved { .. }
            | State::Declined { .. }
            | State::Reversed { .. }
            | State::Tombstoned => None,
        }
    }

    /// How many of its questions are still of interest: those since it came to stand where it stands.
    pub fn questions(&self) -> u32 {
        self.asking().map_or(0, |asking| (self.attempts + 1).saturating_sub(asking.since))
    }

    /// The question that the gateway has to be asked now.
    pub fn question(&self) -> Option<Question> {
        let order_id = self.origin.order_id;
        let key = GatewayKey::of(order_id);
        match &self.state {
            State::Charging { intent, .. } => Some(Question::Charge(ChargeRequest {
                key: if planted(Bug::FreshKey) { key.again(self.attempts) } else { key },
                order_id,
                amount: intent.total,
                method: intent.method.clone(),
            })),
            State::Reversing { undo: Undo::Void, .. } => Some(Question::Void(key)),
            State::Reversing { undo: Undo::Refund, intent, .. } => {
                Some(Question::Refund(key, intent.total))
            }
            State::Approved { .. }
            | State::Declined { .. }
            | State::Reversed { .. }
            | State::Tombstoned => None,
        }
    }

    /// The latest outcome, to the letter the same however often it is said. None: there is none yet.
    pub fn outcome(&self) -> Option<Arc<Message>> {
        let (payload, number) = match &self.state {
            State::Charging { .. } | State::Reversing { .. } => return None,
            State::Approved { intent, transaction_id } => {
                let (total, transaction_id) = (intent.total, transaction_id.clone());
                let payload = Payload::Payment(PaymentMessage::Approved(PaymentApproved {
                    total,
                    transaction_id,
                }));
                return Some(Message::new(&self.origin, payload, 0, self.changed_at));
            }
            State::Declined { reason, .. } => {
                (Payload::Payment(PaymentMessage::Failed(Refusal::because(reason))), 0)
            }
            State::Reversed { .. } => {
                (Payload::Payment(PaymentMessage::Reversed), self.reversals.saturating_sub(1))
            }
            State::Tombstoned => (Payload::Payment(PaymentMessage::Reversed), 0),
        };
        Some(Message::new(&self.origin.slim(), payload, number, self.changed_at))
    }
}
