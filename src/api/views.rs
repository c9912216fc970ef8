//! What answers look like.

use crate::api::decimal::Decimal;
use crate::api::time::Time;
use crate::api::word::{Cause, FailedStep, Word};
use ordermill_actors::messages::{Failure, Flow, Plan, Priority};
use ordermill_actors::money::Money;
use ordermill_actors::order::steps::{steps, taking};
use ordermill_actors::order::{HistoryRow, OrderStatus, Saga, SagaRules, SagaStatus, SagaStep};
use ordermill_actors::payment::PaymentStatus;
use ordermill_actors::runtime::entity::EntityRules;
use ordermill_actors::shipping::ShipmentStatus;
use poem_openapi::Object;
use uuid::Uuid;

/// How the saga of an order stands.
#[derive(Object)]
pub struct SagaView {
    /// How it stands.
    pub status: Word<SagaStatus>,
    /// What it waits for.
    pub step: Word<SagaStep>,
    /// Why it is `FAILED`.
    #[oai(skip_serializing_if_is_none)]
    pub stuck: Option<String>,
}

/// A product of which too little was there.
#[derive(Object)]
pub struct ShortageView {
    /// The product.
    pub product_id: String,
    /// How many were asked for.
    pub requested: u32,
    /// How many there were, by the committed stock; null if there is no such product.
    pub available: Option<i64>,
}

/// Why an order ended as `CANCELLED`.
#[derive(Object)]
pub struct FailureView {
    /// Where it failed.
    pub step: Word<FailedStep>,
    /// A word for why, as in `insufficient_stock`.
    pub reason: String,
    /// What was short.
    #[oai(default, skip_serializing_if_is_empty)]
    pub shortages: Vec<ShortageView>,
}

impl From<&Failure> for FailureView {
    fn from(failure: &Failure) -> Self {
        let shortages = failure.shortages.iter().map(|shortage| ShortageView {
            product_id: shortage.product_id.to_string(),
            requested: shortage.requested,
            available: shortage.available,
        });
        Self {
            step: Word::stored(failure.step.clone()),
            reason: failure.reason.clone(),
            shortages: shortages.collect(),
        }
    }
}

/// A line of an order.
#[derive(Object)]
pub struct LineView {
    /// The product.
    pub product_id: String,
    /// How many.
    pub quantity: u32,
    /// The price of one, when the request named it.
    #[oai(skip_serializing_if_is_none)]
    pub unit_price: Option<Decimal>,
    /// The price of the line.
    pub amount: Decimal,
}

/// An order's money, as the order knows it.
#[derive(Object)]
pub struct OrderPaymentView {
    /// How the payment stands: `APPROVED` or `REVERSED`.
    pub status: Word<PaymentStatus>,
    /// The gateway's identifier.
    pub transaction_id: String,
    /// How much was captured.
    pub amount: Decimal,
}

/// An order's parcel, as the order knows it.
#[derive(Object)]
pub struct OrderShipmentView {
    /// How the shipment stands. One that was refused is the order's `failure` instead.
    pub status: Word<ShipmentStatus>,
    /// To follow it by.
    pub tracking_code: String,
    /// What the carrier takes.
    pub freight: Decimal,
    /// When it should arrive.
    pub estimated_delivery: Time,
}

/// An order as it was accepted.
#[derive(Object)]
pub struct PlacedView {
    /// The order.
    pub order_id: Uuid,
    /// `PENDING`: it was accepted, and everything else is under way.
    pub status: Word<OrderStatus>,
    /// Its saga.
    pub saga: SagaView,
    /// Who buys.
    pub customer_id: String,
    /// What.
    pub items: Vec<LineView>,
    /// What it costs in all.
    pub total_amount: Decimal,
    /// The currency of every amount, as a code of ISO 4217.
    pub currency: String,
    /// When it was accepted.
    pub created_at: Time,
}

impl PlacedView {
    /// The order as it was accepted, however far it has come since.
    pub fn of(saga: &Saga) -> Self {
        let [first, ..] = steps(saga.origin.plan);
        Self {
            order_id: saga.order_id().0,
            status: OrderStatus::Pending.into(),
            saga: SagaView {
                status: SagaStatus::InProgress.into(),
                step: taking(first).into(),
                stuck: None,
            },
            customer_id: saga.details.customer_id.clone(),
            items: lines(saga),
            total_amount: Decimal(saga.details.total()),
            currency: saga.details.currency.code().to_owned(),
            created_at: saga.created_at.into(),
        }
    }
}

/// A status that an order has had.
#[derive(Object)]
pub struct HistoryView {
    /// 0, 1, 2, … without gaps.
    pub sequence: u32,
    /// When.
    pub at: Time,
    /// What changed the order.
    pub cause: Word<Cause>,
    /// The order's status from then on.
    pub status: Word<OrderStatus>,
    /// The saga's status from then on.
    pub saga_status: Word<SagaStatus>,
    /// What the saga then waited for.
    pub step: Word<SagaStep>,
}

impl From<&HistoryRow> for HistoryView {
    fn from(row: &HistoryRow) -> Self {
        Self {
            sequence: row.sequence,
            at: row.at.into(),
            cause: Word::stored(row.cause.clone()),
            status: row.status.into(),
            saga_status: row.saga_status.into(),
            step: Word::stored(row.step.clone()),
        }
    }
}

/// An order.
#[derive(Object)]
pub struct OrderView {
    /// The order.
    pub order_id: Uuid,
    /// Who buys.
    pub customer_id: String,
    /// How far it has come.
    pub status: Word<OrderStatus>,
    /// How its steps find each other.
    pub flow: Word<Flow>,
    /// In which order they are taken.
    pub plan: Word<Plan>,
    /// Its saga.
    pub saga: SagaView,
    /// The actor that sees to it while anything is under way, as `GET /admin/actors/{name}` knows it.
    pub actor: String,
    /// Why it ended, or is ending, as `CANCELLED`.
    pub failure: Option<FailureView>,
    /// What was bought.
    pub items: Vec<LineView>,
    /// What it costs in all.
    pub total_amount: Decimal,
    /// The currency of every amount, as a code of ISO 4217.
    pub currency: String,
    /// How it is paid.
    pub payment_method: String,
    /// How fast the parcel is wanted.
    pub priority: Word<Priority>,
    /// Its money.
    pub payment: Option<OrderPaymentView>,
    /// Its parcel.
    pub shipment: Option<OrderShipmentView>,
    /// When it was accepted.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// Every status it has had. In lists it is left out.
    #[oai(skip_serializing_if_is_none)]
    pub history: Option<Vec<HistoryView>>,
}

impl OrderView {
    /// An order, with its history where it is wanted.
    pub fn of(saga: &Saga, history: Option<&[HistoryRow]>) -> Self {
        Self {
            order_id: saga.order_id().0,
            customer_id: saga.details.customer_id.clone(),
            status: saga.status().into(),
            flow: saga.origin.flow.into(),
            plan: saga.origin.plan.into(),
            saga: SagaView {
                status: saga.saga_status().into(),
                step: Word::stored(saga.step()),
                stuck: saga.facts.stuck.clone(),
            },
            actor: format!("{}/{}", SagaRules::KIND, saga.order_id()),
            failure: saga.facts.failure.as_ref().map(FailureView::from),
            items: lines(saga),
            total_amount: Decimal(saga.details.total()),
            currency: saga.details.currency.code().to_owned(),
            payment_method: saga.details.payment_method.clone(),
            priority: saga.details.priority.into(),
            payment: payment(saga),
            shipment: shipment(saga),
            created_at: saga.created_at.into(),
            updated_at: saga.updated_at.into(),
            history: history.map(|rows| rows.iter().map(HistoryView::from).collect()),
        }
    }
}

fn lines(saga: &Saga) -> Vec<LineView> {
    let currency = saga.details.currency;
    let amount = |minor| Decimal(Money { minor, currency });
    let view = |line: &ordermill_actors::messages::Line| LineView {
        product_id: line.product_id.to_string(),
        quantity: line.quantity,
        unit_price: line.unit_price_minor.map(amount),
        amount: amount(line.amount_minor),
    };
    saga.details.lines.iter().map(view).collect()
}

fn payment(saga: &Saga) -> Option<OrderPaymentView> {
    let paid = saga.facts.paid.as_ref()?;
    let status = match saga.facts.payment.undone {
        true => PaymentStatus::Reversed,
        false => PaymentStatus::Approved,
    };
    Some(OrderPaymentView {
        status: status.into(),
        transaction_id: paid.transaction_id.clone(),
        amount: Decimal(paid.total),
    })
}

fn shipment(saga: &Saga) -> Option<OrderShipmentView> {
    let facts = &saga.facts;
    let shipment = facts.shipment.as_ref()?;
    let status = if facts.delivered_at.is_some() {
        ShipmentStatus::Delivered
    } else if facts.dispatched_at.is_some() {
        ShipmentStatus::Dispatched
    } else if facts.shipping.undone {
        ShipmentStatus::Cancelled
    } else {
        ShipmentStatus::Scheduled
    };
    Some(OrderShipmentView {
        status: status.into(),
        tracking_code: shipment.tracking_code.clone(),
        freight: Decimal(shipment.freight),
        estimated_delivery: shipment.estimated_delivery.into(),
    })
}
