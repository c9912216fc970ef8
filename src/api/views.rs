//! What answers look like.

use crate::api::decimal::Decimal;
use chrono::{DateTime, Utc};
use ordermill_actors::messages::{Failure, Plan, Priority};
use ordermill_actors::money::Money;
use ordermill_actors::order::{HistoryRow, Saga, SagaRules};
use ordermill_actors::runtime::entity::Rules;
use poem_openapi::Object;
use uuid::Uuid;

/// How the saga of an order stands.
#[derive(Object)]
pub struct SagaView {
    /// `IN_PROGRESS`, `COMPENSATING`, `COMPLETED`, `COMPENSATED` or `FAILED`.
    pub status: String,
    /// What it waits for; `DONE` at rest.
    pub step: String,
    /// What is the matter, when it is `FAILED`.
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
    /// How many there were, by the committed stock; null: there is no such product.
    pub available: Option<i64>,
}

/// Why an order ended as `CANCELLED`.
#[derive(Object)]
pub struct FailureView {
    /// The step that failed, or `customer`.
    pub step: String,
    /// A word for why.
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
            step: failure.step.clone(),
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
    /// `APPROVED` or `REVERSED`.
    pub status: String,
    /// The gateway's identifier.
    pub transaction_id: String,
    /// How much was captured.
    pub amount: Decimal,
}

/// An order's parcel, as the order knows it.
#[derive(Object)]
pub struct OrderShipmentView {
    /// `SCHEDULED`, `CANCELLED`, `DISPATCHED` or `DELIVERED`.
    pub status: String,
    /// To follow it by.
    pub tracking_code: String,
    /// What the carrier takes.
    pub freight: Decimal,
    /// When it should arrive.
    pub estimated_delivery: DateTime<Utc>,
}

/// An order as it was accepted.
#[derive(Object)]
pub struct PlacedView {
    /// The order.
    pub order_id: Uuid,
    /// `PENDING`: it was accepted, and everything else is under way.
    pub status: String,
    /// Its saga.
    pub saga: SagaView,
    /// Who buys.
    pub customer_id: String,
    /// What.
    pub items: Vec<LineView>,
    /// What it costs in all.
    pub total_amount: Decimal,
    /// ISO 4217.
    pub currency: String,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
}

impl PlacedView {
    /// The order as it was accepted, however far it has come since.
    pub fn of(saga: &Saga) -> Self {
        let first = match saga.origin.plan {
            Plan::ReserveFirst => "RESERVING_INVENTORY",
            Plan::PaymentFirst => "PROCESSING_PAYMENT",
        };
        Self {
            order_id: saga.order_id().0,
            status: "PENDING".to_owned(),
            saga: SagaView { status: "IN_PROGRESS".into(), step: first.into(), stuck: None },
            customer_id: saga.details.customer_id.clone(),
            items: lines(saga),
            total_amount: Decimal(saga.details.total()),
            currency: saga.details.currency.code().to_owned(),
            created_at: saga.created_at,
        }
    }
}

/// A status that an order has had.
#[derive(Object)]
pub struct HistoryView {
    /// 0, 1, 2, … without gaps.
    pub sequence: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// A message's name, `customer`, `operator` or `deadline`.
    pub cause: String,
    /// The order's status from then on.
    pub status: String,
    /// The saga's.
    pub saga_status: String,
    /// What the saga then did.
    pub step: String,
}

impl From<&HistoryRow> for HistoryView {
    fn from(row: &HistoryRow) -> Self {
        Self {
            sequence: row.sequence,
            at: row.at,
            cause: row.cause.clone(),
            status: row.status.as_str().to_owned(),
            saga_status: row.saga_status.as_str().to_owned(),
            step: row.step.clone(),
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
    pub status: String,
    /// How its steps find each other.
    pub flow: String,
    /// In which order they are taken.
    pub plan: String,
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
    /// ISO 4217.
    pub currency: String,
    /// How it is paid.
    pub payment_method: String,
    /// How fast the parcel is wanted.
    pub priority: String,
    /// Its money.
    pub payment: Option<OrderPaymentView>,
    /// Its parcel.
    pub shipment: Option<OrderShipmentView>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
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
            status: saga.status().as_str().to_owned(),
            flow: saga.origin.flow.as_str().to_owned(),
            plan: plan(saga.origin.plan).to_owned(),
            saga: SagaView {
                status: saga.saga_status().as_str().to_owned(),
                step: saga.step().to_owned(),
                stuck: saga.facts.stuck.clone(),
            },
            actor: format!("{}/{}", SagaRules::KIND, saga.order_id()),
            failure: saga.facts.failure.as_ref().map(FailureView::from),
            items: lines(saga),
            total_amount: Decimal(saga.details.total()),
            currency: saga.details.currency.code().to_owned(),
            payment_method: saga.details.payment_method.clone(),
            priority: match saga.details.priority {
                Priority::Standard => "standard".to_owned(),
                Priority::Express => "express".to_owned(),
            },
            payment: payment(saga),
            shipment: shipment(saga),
            created_at: saga.created_at,
            updated_at: saga.updated_at,
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
    let status = if saga.facts.payment.undone { "REVERSED" } else { "APPROVED" };
    Some(OrderPaymentView {
        status: status.to_owned(),
        transaction_id: paid.transaction_id.clone(),
        amount: Decimal(paid.total),
    })
}

fn shipment(saga: &Saga) -> Option<OrderShipmentView> {
    let facts = &saga.facts;
    let shipment = facts.shipment.as_ref()?;
    let status = if facts.delivered_at.is_some() {
        "DELIVERED"
    } else if facts.dispatched_at.is_some() {
        "DISPATCHED"
    } else if facts.shipping.undone {
        "CANCELLED"
    } else {
        "SCHEDULED"
    };
    Some(OrderShipmentView {
        status: status.to_owned(),
        tracking_code: shipment.tracking_code.clone(),
        freight: Decimal(shipment.freight),
        estimated_delivery: shipment.estimated_delivery,
    })
}

/// A plan as it is written.
pub const fn plan(plan: Plan) -> &'static str {
    match plan {
        Plan::ReserveFirst => "reserve-first",
        Plan::PaymentFirst => "payment-first",
    }
}
