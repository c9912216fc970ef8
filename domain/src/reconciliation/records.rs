//! What each service says of an order or a product, as far as it is compared.

use crate::clock::Timestamp;
use crate::gateway::{Entry, EntryStatus};
use crate::ids::ProductId;
use crate::inventory::Reservation;
use crate::messages::{Flow, Plan, StockLine};
use crate::money::Money;
use crate::order::derived_status::{order_status, saga_status};
use crate::order::facts::Facts;
use crate::order::{OrderStatus, Saga, SagaStatus};
use crate::payment::{PaymentStatus, PaymentView};
use crate::shipping::{Shipment, ShipmentStatus};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What the order service says of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// Counts the changes of its saga.
    pub version: u64,
    /// How its steps find each other.
    pub flow: Flow,
    /// In which order they are taken.
    pub plan: Plan,
    /// What was ordered.
    pub lines: Vec<StockLine>,
    /// What it costs.
    pub total: Money,
    /// What is known of its way.
    pub facts: Facts,
    /// When its saga last changed.
    pub updated_at: Timestamp,
}

impl From<&Saga> for OrderRecord {
    fn from(saga: &Saga) -> Self {
        Self {
            version: saga.version,
            flow: saga.origin.flow,
            plan: saga.origin.plan,
            lines: saga.details.stock_lines(),
            total: saga.details.total(),
            facts: saga.facts.clone(),
            updated_at: saga.updated_at,
        }
    }
}

impl OrderRecord {
    /// What the order is called.
    pub fn status(&self) -> OrderStatus {
        order_status(&self.facts, self.plan)
    }

    /// What its saga is called.
    pub fn saga_status(&self) -> SagaStatus {
        saga_status(&self.facts, self.plan)
    }
}

/// What became of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReservationState {
    /// The order has a claim on the units.
    Reserved,
    /// The units have left.
    Committed,
    /// The order has no claim any more.
    Released,
    /// It never had one.
    Refused,
}

/// What the inventory service says of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationRecord {
    /// What became of the reservation.
    pub state: ReservationState,
    /// What is, or was, reserved, by product.
    pub lines: Vec<StockLine>,
}

impl From<&Reservation> for ReservationRecord {
    fn from(reservation: &Reservation) -> Self {
        let state = match reservation {
            Reservation::Reserved(_) => ReservationState::Reserved,
            Reservation::Committed(_) => ReservationState::Committed,
            Reservation::Released(_) => ReservationState::Released,
            Reservation::Refused(_) => ReservationState::Refused,
        };
        let lines = reservation.lines().map(|lines| lines.iter().cloned().collect());
        Self { state, lines: lines.unwrap_or_default() }
    }
}

/// What the payment service says of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRecord {
    /// Where the payment stands.
    pub status: PaymentStatus,
    /// What was to be paid. None: it was undone before that was said.
    pub amount: Option<Money>,
    /// What the gateway is known to have captured.
    pub captured: Option<Money>,
    /// What the gateway is known to have given back.
    pub refunded: Option<Money>,
}

impl From<&PaymentView> for PaymentRecord {
    fn from(payment: &PaymentView) -> Self {
        let PaymentView { status, amount, captured, refunded, .. } = payment;
        Self { status: *status, amount: *amount, captured: *captured, refunded: *refunded }
    }
}

/// What the gateway has under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The key.
    pub key: Uuid,
    /// Where it stands.
    pub status: EntryStatus,
    /// What was captured.
    pub captured: Money,
    /// What was given back.
    pub refunded: Money,
}

impl LedgerEntry {
    /// What an entry says. None: no charge was asked for under its key, so that it is nobody's.
    pub fn of(entry: &Entry) -> Option<Self> {
        let currency = entry.booking.as_ref()?.amount.currency;
        let money = |minor| Money { minor, currency };
        Some(Self {
            key: entry.key.0,
            status: entry.status,
            captured: money(entry.captured_minor),
            refunded: money(entry.refunded_minor),
        })
    }
}

/// What the gateway's ledger says of an order: each key under which it was to be charged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LedgerRecord(pub Vec<LedgerEntry>);

/// What the shipping service says of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentRecord {
    /// Where the parcel is.
    pub status: ShipmentStatus,
    /// Units in it.
    pub units: Option<u64>,
    /// What it is followed by.
    pub tracking_code: Option<String>,
}

impl From<&Shipment> for ShipmentRecord {
    fn from(shipment: &Shipment) -> Self {
        let parcel = shipment.state.parcel();
        Self {
            status: shipment.state.status(),
            units: parcel.map(|parcel| parcel.units),
            tracking_code: parcel.map(|parcel| parcel.scheduled.tracking_code.clone()),
        }
    }
}

/// The names of the events that the audit keeps of an order, each as often as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuditRecord(pub Vec<String>);

/// The names of the events that the order's customer was told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotificationRecord(pub Vec<String>);

/// The stock of a product after a movement, as the ledger has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRecord {
    /// The version of the stock that the movement made.
    pub version: u64,
    /// Units in the warehouse.
    pub on_hand: i64,
    /// Those of them that are reserved.
    pub reserved: i64,
}

/// What the inventory service says of a product, all of it at the same moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRecord {
    /// The product.
    pub product_id: ProductId,
    /// Units in the warehouse, by its stock.
    pub on_hand: i64,
    /// Those of them that are reserved, by its stock.
    pub reserved: i64,
    /// The version of its stock.
    pub version: u64,
    /// The newest row of its ledger. None: no movement is kept of it.
    pub ledger: Option<StockRecord>,
    /// Units that orders have a claim on, by their reservations.
    pub claimed: i64,
}
