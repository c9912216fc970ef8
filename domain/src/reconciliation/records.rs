//! Each service's record of an order or a product, as far as it is compared.

use crate::clock::Timestamp;
use crate::gateway::{Entry, EntryStatus};
use crate::ids::ProductId;
use crate::inventory::Reservation;
use crate::messages::{Flow, Plan, StockLine};
use crate::money::Money;
use crate::order::derived_status::{order_status, saga_status};
use crate::order::facts::Facts;
use crate::order::{OrderStatus, Saga, SagaStatus};
use crate::payment::{PaymentStatus, PaymentView, Provider};
use crate::shipping::{Shipment, ShipmentStatus};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The order service's record of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// Counts the changes of its saga.
    pub version: u64,
    /// How its steps find each other.
    pub flow: Flow,
    /// In which order they are taken.
    pub plan: Plan,
    /// The ordered units, by product.
    pub lines: Vec<StockLine>,
    /// The total of the order.
    pub total: Money,
    /// The facts of its saga.
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
            // Records are listed: the link of a page is not for lists.
            facts: saga.facts.without_page(),
            updated_at: saga.updated_at,
        }
    }
}

impl OrderRecord {
    /// The status of the order.
    pub fn status(&self) -> OrderStatus {
        order_status(&self.facts, self.plan)
    }

    /// The status of its saga.
    pub fn saga_status(&self) -> SagaStatus {
        saga_status(&self.facts, self.plan)
    }
}

/// The state of a reservation.
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

/// The inventory service's record of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationRecord {
    /// The state of the reservation.
    pub state: ReservationState,
    /// The reserved units, now or earlier, by product.
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

/// The payment service's record of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRecord {
    /// Where the payment stands.
    pub status: PaymentStatus,
    /// The gateway. Only the simulated one has a ledger here.
    #[serde(default)]
    pub provider: Provider,
    /// The amount to be paid. None: the payment was undone before the amount was known.
    pub amount: Option<Money>,
    /// The amount that the gateway is known to have captured.
    pub captured: Option<Money>,
    /// The amount that the gateway is known to have refunded.
    pub refunded: Option<Money>,
}

impl From<&PaymentView> for PaymentRecord {
    fn from(payment: &PaymentView) -> Self {
        let PaymentView { status, provider, amount, captured, refunded, .. } = payment;
        let (status, provider) = (*status, *provider);
        Self { status, provider, amount: *amount, captured: *captured, refunded: *refunded }
    }
}

/// The gateway's entry under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The key.
    pub key: Uuid,
    /// Where it stands.
    pub status: EntryStatus,
    /// The captured amount.
    pub captured: Money,
    /// The refunded amount.
    pub refunded: Money,
}

impl LedgerEntry {
    /// The record of an entry. None: no payment was requested under its key, so it belongs to no order.
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

/// The gateway's record of an order: each key under which it was to be charged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LedgerRecord(pub Vec<LedgerEntry>);

/// The shipping service's record of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentRecord {
    /// Where the parcel is.
    pub status: ShipmentStatus,
    /// Units in it.
    pub units: Option<u64>,
    /// Its tracking code.
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

/// The inventory service's record of a product, read at one moment.
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
