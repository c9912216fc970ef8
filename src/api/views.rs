//! What answers look like.

use crate::api::decimal::Decimal;
use crate::api::payment_view::OrderPaymentView;
use crate::api::time::Time;
use crate::api::word::{Cause, FailedStep, Word};
use ordermill_actors::order::SagaRules;
use ordermill_actors::runtime::entity::EntityRules;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::messages::{Failure, Flow, Plan, Priority};
use ordermill_domain::money::Money;
use ordermill_domain::order::steps::steps;
use ordermill_domain::order::{HistoryRow, OrderStatus, Saga, SagaStatus, SagaStep, Step};
use ordermill_domain::payment::Page;
use ordermill_domain::shipping::ShipmentStatus;
use poem_openapi::Object;
use uuid::Uuid;

/// The saga of an order.
#[derive(Object)]
pub struct SagaView {
    /// The status.
    pub status: Word<SagaStatus>,
    /// The step that it waits for.
    pub step: Word<SagaStep>,
    /// The reason why it is `FAILED`.
    #[oai(skip_serializing_if_is_none)]
    pub stuck: Option<String>,
}

/// A product with too little stock.
#[derive(Object)]
pub struct ShortageView {
    /// The product.
    pub product_id: String,
    /// Number of requested units.
    pub requested: u32,
    /// Number of available units in the committed stock; null if the product does not exist.
    pub available: Option<i64>,
}

/// The reason why an order is `CANCELLED`.
#[derive(Object)]
pub struct FailureView {
    /// The step that failed.
    pub step: Word<FailedStep>,
    /// The reason code, for example `insufficient_stock`.
    pub reason: String,
    /// The products with too little stock.
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
    /// The quantity.
    pub quantity: u32,
    /// The price per unit, if the request contained it.
    #[oai(skip_serializing_if_is_none)]
    pub unit_price: Option<Decimal>,
    /// The price of the line.
    pub amount: Decimal,
}

/// The shipment of an order, as the order service records it.
#[derive(Object)]
pub struct OrderShipmentView {
    /// The status of the shipment. A refused shipment is reported as the `failure` of the order.
    pub status: Word<ShipmentStatus>,
    /// The tracking code.
    pub tracking_code: String,
    /// The shipping cost.
    pub freight: Decimal,
    /// The estimated delivery date.
    pub estimated_delivery: Time,
}

/// An order as it was accepted.
#[derive(Object)]
pub struct PlacedView {
    /// The order.
    pub order_id: Uuid,
    /// `PENDING`: the order is accepted and its saga has started.
    pub status: Word<OrderStatus>,
    /// The saga.
    pub saga: SagaView,
    /// The customer.
    pub customer_id: String,
    /// What.
    pub items: Vec<LineView>,
    /// The total amount.
    pub total_amount: Decimal,
    /// The currency of all amounts, an ISO 4217 code.
    pub currency: String,
    /// The time at which it was accepted.
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
                step: first.spec().action.activity.into(),
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

/// An entry of an order's status history.
#[derive(Object)]
pub struct HistoryView {
    /// Sequence number: 0, 1, 2, … without gaps.
    pub sequence: u32,
    /// When.
    pub at: Time,
    /// The cause of the change.
    pub cause: Word<Cause>,
    /// The status of the order after the change.
    pub status: Word<OrderStatus>,
    /// The status of the saga after the change.
    pub saga_status: Word<SagaStatus>,
    /// The step that the saga waits for after the change.
    pub step: Word<SagaStep>,
    /// The page where the customer can pay. Only in the event stream of the order.
    #[oai(skip_serializing_if_is_none)]
    pub payment_url: Option<String>,
    /// The time until which it can be paid there.
    #[oai(skip_serializing_if_is_none)]
    pub expires_at: Option<Time>,
}

impl HistoryView {
    /// The same with the page that the entry tells, while the order can be paid there.
    pub fn with_page(self, page: Option<&Page>) -> Self {
        Self {
            payment_url: page.map(|page| page.url.clone()),
            expires_at: page.map(|page| page.expires_at.into()),
            ..self
        }
    }
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
            payment_url: None,
            expires_at: None,
        }
    }
}

/// An order.
#[derive(Object)]
pub struct OrderView {
    /// The order.
    pub order_id: Uuid,
    /// The customer.
    pub customer_id: String,
    /// The status.
    pub status: Word<OrderStatus>,
    /// The coordination of the saga steps.
    pub flow: Word<Flow>,
    /// The order of the saga steps.
    pub plan: Word<Plan>,
    /// The saga.
    pub saga: SagaView,
    /// The actor that handles the order while it is in progress, for `GET /admin/actors/{name}`.
    pub actor: String,
    /// The reason for the cancellation, if the order is or becomes `CANCELLED`.
    pub failure: Option<FailureView>,
    /// The order lines.
    pub items: Vec<LineView>,
    /// The total amount.
    pub total_amount: Decimal,
    /// The currency of all amounts, an ISO 4217 code.
    pub currency: String,
    /// The payment method.
    pub payment_method: String,
    /// The shipping priority.
    pub priority: Word<Priority>,
    /// The payment.
    pub payment: OrderPaymentView,
    /// The shipment.
    pub shipment: Option<OrderShipmentView>,
    /// The time at which it was accepted.
    pub created_at: Time,
    /// The time of the last change.
    pub updated_at: Time,
    /// The status history. Omitted in lists.
    #[oai(skip_serializing_if_is_none)]
    pub history: Option<Vec<HistoryView>>,
}

impl OrderView {
    /// An order as it is at that time, with its history where it is wanted. Without the link of a payment page: this is
    /// how lists show it.
    pub fn of(saga: &Saga, history: Option<&[HistoryRow]>, now: Timestamp) -> Self {
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
            failure: saga.facts.failure().map(FailureView::from),
            items: lines(saga),
            total_amount: Decimal(saga.details.total()),
            currency: saga.details.currency.code().to_owned(),
            payment_method: saga.details.payment_method.clone(),
            priority: saga.details.priority.into(),
            payment: OrderPaymentView::of(&saga.payment(now)),
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
    let view = |line: &ordermill_domain::messages::Line| LineView {
        product_id: line.product_id.to_string(),
        quantity: line.quantity,
        unit_price: line.unit_price_minor.map(amount),
        amount: amount(line.amount_minor),
    };
    saga.details.lines.iter().map(view).collect()
}

fn shipment(saga: &Saga) -> Option<OrderShipmentView> {
    let facts = &saga.facts;
    let shipment = facts.shipment()?;
    let status = if facts.step(Step::Delivery).is_done() {
        ShipmentStatus::Delivered
    } else if facts.step(Step::Dispatch).is_done() {
        ShipmentStatus::Dispatched
    } else if facts.step(Step::Shipping).is_undone() {
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
