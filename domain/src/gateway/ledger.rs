//! The ledger: one entry a key, and what charge, void and refund do to it. Pure.
//!
//! ```text
//! Asked ──charge──▶ Charged ──void, refund──▶ Refunded
//!   │ └───charge──▶ Declined
//!   └─────void────▶ Voided: a charge that comes later is declined
//! ```

use super::methods::{GatewayPolicy, Method};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::money::Money;
use crate::payment::{Charge, ChargeRequest, GatewayKey, Holding, Undone};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use strum::{IntoStaticStr, VariantArray};

/// The ledger's entry under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The key.
    pub key: GatewayKey,
    /// Where it stands.
    pub status: EntryStatus,
    /// The requested charge. None: the key was closed before any charge came.
    pub booking: Option<Booking>,
    /// The captured amount, in minor units of the booking's currency.
    pub captured_minor: i64,
    /// The refunded part of it.
    pub refunded_minor: i64,
    /// The gateway's identifier of the capture, once there is one.
    pub transaction_id: Option<String>,
    /// How often a charge was asked for.
    pub charge_attempts: u32,
    /// How often money was asked back, refused or not.
    pub refund_attempts: u32,
    /// When the key was first heard of.
    pub created_at: Timestamp,
    /// When it came to stand where it stands.
    pub changed_at: Timestamp,
}

/// A requested charge.
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
    /// The money is held.
    Charged,
    /// Refused for good.
    Declined,
    /// Closed for good; nothing was ever captured.
    Voided,
    /// All money was given back, for good.
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

/// A response of the gateway, and its timing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayResponse {
    /// The outcome of a charge, sent after a delay.
    Charge(Charge, Duration),
    /// No money is held any more.
    Undone(Undone),
    /// Nothing: the caller is left to wait.
    Nothing,
    /// It cannot be done, for now.
    Error(&'static str),
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
        }
    }

    /// Captures the money, once.
    pub fn charge(
        &mut self,
        request: &ChargeRequest,
        policy: &GatewayPolicy,
        at: Timestamp,
    ) -> GatewayResponse {
        self.charge_attempts += 1;
        let nth = self.charge_attempts;
        let method = Method::named(&request.method);
        let asked = Booking {
            order_id: request.order_id,
            amount: request.amount,
            method: request.method.clone(),
        };
        if self.booking.get_or_insert_with(|| asked.clone()) != &asked {
            return response(declined("key_reused"), Duration::ZERO);
        }
        match self.status {
            EntryStatus::Asked if method.ignores(nth) => return GatewayResponse::Nothing,
            EntryStatus::Asked if method.declines(self.key, policy) => {
                self.stand(EntryStatus::Declined, at);
            }
            EntryStatus::Asked => {
                self.captured_minor = request.amount.minor;
                self.transaction_id = Some(format!("sim-{}", self.key.0.simple()));
                self.stand(EntryStatus::Charged, at);
            }
            EntryStatus::Charged
            | EntryStatus::Declined
            | EntryStatus::Voided
            | EntryStatus::Refunded => {}
        }
        if method.silent(nth) {
            return GatewayResponse::Nothing;
        }
        match self.charged() {
            Some(charge) => response(charge, method.delay(nth)),
            None => GatewayResponse::Nothing,
        }
    }

    /// Sees to it that no money is held under the key, now or later.
    pub fn void(&mut self, at: Timestamp) -> GatewayResponse {
        match self.status {
            EntryStatus::Asked => self.stand(EntryStatus::Voided, at),
            EntryStatus::Charged => return self.give_back(at),
            EntryStatus::Declined | EntryStatus::Voided | EntryStatus::Refunded => {}
        }
        self.undone()
    }

    /// Gives back what was captured, once.
    pub fn refund(&mut self, amount: Money, at: Timestamp) -> GatewayResponse {
        let captured = self.booking.as_ref().map(|booking| booking.amount);
        match self.status {
            EntryStatus::Asked | EntryStatus::Declined | EntryStatus::Voided => {
                GatewayResponse::Error("no capture exists for this key")
            }
            EntryStatus::Charged | EntryStatus::Refunded if captured != Some(amount) => {
                GatewayResponse::Error("the captured amount for this key differs")
            }
            EntryStatus::Charged => self.give_back(at),
            EntryStatus::Refunded => self.undone(),
        }
    }

    /// The answer to a query.
    pub fn holding(&self) -> Holding {
        match self.status {
            EntryStatus::Asked => Holding::Unknown,
            EntryStatus::Charged | EntryStatus::Declined => {
                self.charged().map_or(Holding::Unknown, Holding::Charged)
            }
            EntryStatus::Voided | EntryStatus::Refunded => Holding::Closed,
        }
    }

    /// The money that is held, in minor units.
    pub fn held_minor(&self) -> i64 {
        self.captured_minor - self.refunded_minor
    }

    /// The answer to a charge. None: nothing is booked.
    fn charged(&self) -> Option<Charge> {
        match self.status {
            EntryStatus::Asked => None,
            EntryStatus::Charged => {
                let transaction_id = self.transaction_id.clone()?;
                let amount = self.booking.as_ref()?.amount;
                Some(Charge::Approved { transaction_id, amount })
            }
            EntryStatus::Declined => Some(declined("declined")),
            EntryStatus::Voided => Some(declined("voided")),
            EntryStatus::Refunded => Some(declined("refunded")),
        }
    }

    /// True when money was captured, given back or not.
    pub fn is_captured(&self) -> bool {
        self.transaction_id.is_some()
    }

    fn stand(&mut self, status: EntryStatus, at: Timestamp) {
        self.status = status;
        self.changed_at = at;
    }

    fn give_back(&mut self, at: Timestamp) -> GatewayResponse {
        self.refund_attempts += 1;
        let method = self.booking.as_ref().map_or(Method::Ordinary, |b| Method::named(&b.method));
        if method.refuses_refund(self.refund_attempts) {
            return GatewayResponse::Error("the refund is declined");
        }
        self.refunded_minor = self.captured_minor;
        self.stand(EntryStatus::Refunded, at);
        self.undone()
    }

    fn undone(&self) -> GatewayResponse {
        let given_back = self.status == EntryStatus::Refunded;
        let amount = self.booking.as_ref().map(|booking| booking.amount);
        GatewayResponse::Undone(Undone { refunded: amount.filter(|_| given_back) })
    }
}

fn declined(reason: &str) -> Charge {
    Charge::Declined { reason: reason.to_owned() }
}

fn response(charge: Charge, delay: Duration) -> GatewayResponse {
    GatewayResponse::Charge(charge, delay)
}
