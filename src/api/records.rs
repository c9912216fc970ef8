//! /payments, /shipments, /audit: what the other services have of an order.

use crate::api::cursor;
use crate::api::decimal::Decimal;
use crate::api::limits;
use crate::api::orders::{Group, id};
use crate::api::problem::Problem;
use crate::api::state::State;
use chrono::{DateTime, Utc};
use ordermill_actors::audit::AuditCursor;
use ordermill_actors::ids::OrderId;
use ordermill_actors::payment::{ConfirmationError, PaymentConfirmation, PaymentView};
use ordermill_actors::ports::RpcError;
use ordermill_actors::shipping::Shipment;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Any;
use poem_openapi::{Object, OpenApi};
use std::time::Duration;
use uuid::Uuid;

/// A payment, as the payment service has it.
#[derive(Object)]
struct PaymentRecord {
    order_id: Uuid,
    /// `PENDING`, `APPROVED`, `FAILED`, `REVERSING` or `REVERSED`.
    status: String,
    /// What was to be paid; null: it was undone before that was said.
    amount: Option<Decimal>,
    currency: Option<String>,
    /// What the gateway has captured.
    captured: Option<Decimal>,
    /// What it has given back.
    refunded: Option<Decimal>,
    method: Option<String>,
    transaction_id: Option<String>,
    /// Why the gateway refused.
    reason: Option<String>,
    /// How often the gateway was asked anything.
    attempts: u32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<PaymentView> for PaymentRecord {
    fn from(payment: PaymentView) -> Self {
        Self {
            order_id: payment.order_id.0,
            status: payment.status.as_str().to_owned(),
            amount: payment.amount.map(Decimal),
            currency: payment.amount.map(|amount| amount.currency.code().to_owned()),
            captured: payment.captured.map(Decimal),
            refunded: payment.refunded.map(Decimal),
            method: payment.method,
            transaction_id: payment.transaction_id,
            reason: payment.reason,
            attempts: payment.attempts,
            created_at: payment.created_at,
            updated_at: payment.updated_at,
        }
    }
}

/// A shipment, as the shipping service has it.
#[derive(Object)]
struct ShipmentRecord {
    order_id: Uuid,
    /// `SCHEDULED`, `FAILED`, `CANCELLED`, `DISPATCHED` or `DELIVERED`.
    status: String,
    /// To follow the parcel by.
    tracking_code: Option<String>,
    /// What the carrier takes.
    freight: Option<Decimal>,
    currency: Option<String>,
    estimated_delivery: Option<DateTime<Utc>>,
    /// Units in the parcel.
    units: Option<u64>,
    /// Why the carrier refused.
    reason: Option<String>,
}

impl From<&Shipment> for ShipmentRecord {
    fn from(shipment: &Shipment) -> Self {
        let parcel = shipment.state.parcel();
        let reason = shipment.state.refusal().map(|refusal| refusal.reason.clone());
        let scheduled = parcel.map(|parcel| &parcel.scheduled);
        Self {
            order_id: shipment.order_id.0,
            status: shipment.state.status().to_owned(),
            tracking_code: scheduled.map(|scheduled| scheduled.tracking_code.clone()),
            freight: scheduled.map(|scheduled| Decimal(scheduled.freight)),
            currency: scheduled.map(|scheduled| scheduled.freight.currency.code().to_owned()),
            estimated_delivery: scheduled.map(|scheduled| scheduled.estimated_delivery),
            units: parcel.map(|parcel| parcel.units),
            reason,
        }
    }
}

/// An event, as the audit keeps it.
#[derive(Object)]
struct AuditRecord {
    event_id: Uuid,
    event_type: String,
    /// 0, and counted on where the same thing may happen twice to one order.
    number: u32,
    order_id: Uuid,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    /// The whole message.
    message: Any<serde_json::Value>,
}

/// An order's events in the order in which they happened.
#[derive(Object)]
struct AuditList {
    entries: Vec<AuditRecord>,
    /// Where the list goes on; null: this is its end.
    next_cursor: Option<String>,
}

/// The routes.
pub struct RecordsApi(pub State);

#[OpenApi(tag = "Group::Records")]
impl RecordsApi {
    /// An order's payment
    #[oai(path = "/payments/:order_id", method = "get")]
    async fn payment(&self, order_id: Path<String>) -> Result<Json<PaymentRecord>, Problem> {
        let payment = payment_of(&self.0, id(&order_id.0)?).await?;
        let payment = payment.ok_or_else(|| Problem::not_found("this order has no payment yet"))?;
        Ok(Json(payment.into()))
    }

    /// An order's shipment
    #[oai(path = "/shipments/:order_id", method = "get")]
    async fn shipment(&self, order_id: Path<String>) -> Result<Json<ShipmentRecord>, Problem> {
        let row = self.0.services.shipping()?.shipment(id(&order_id.0)?).await?;
        let row = row.ok_or_else(|| Problem::not_found("this order has no shipment yet"))?;
        Ok(Json(ShipmentRecord::from(&row)))
    }

    /// Everything that happened to an order
    #[oai(path = "/audit", method = "get")]
    async fn audit(
        &self,
        /// The order.
        order_id: Query<String>,
        /// Entries on a page: 1 to 200, 50 if not said.
        limit: Query<Option<u32>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> Result<Json<AuditList>, Problem> {
        let (order, limit) = (id(&order_id.0)?, limits::page(limit.0)?);
        let after = cursor::read(cursor.0.as_deref(), parse_cursor)?;
        let entries = self.0.services.audit()?.events(order, after, limit).await?;
        let last = entries.last().filter(|_| entries.len() == limit as usize);
        let next_cursor = last.map(|entry| {
            let AuditCursor { occurred_at, position } = entry.cursor();
            cursor::write(&format!("{}.{position}", occurred_at.timestamp_micros()))
        });
        let record = |entry: ordermill_actors::audit::AuditEntry| AuditRecord {
            event_id: entry.event_id,
            event_type: entry.event_type,
            number: entry.number,
            order_id: entry.order_id.0,
            occurred_at: entry.occurred_at,
            recorded_at: entry.recorded_at,
            message: Any(serde_json::from_str(&entry.message).unwrap_or_default()),
        };
        Ok(Json(AuditList { entries: entries.into_iter().map(record).collect(), next_cursor }))
    }
}

/// How long a payment is waited for that another process is asked about: an answer takes milliseconds.
const CONFIRMATION_MAX: Duration = Duration::from_secs(2);

/// When it is worth asking again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// An order's payment: from the rows, or from whichever process runs the payment service.
async fn payment_of(state: &State, order: OrderId) -> Result<Option<PaymentView>, Problem> {
    let elsewhere = match state.services.payment() {
        Ok(payment) => return Ok(payment.reads.payment(order).await?.map(|row| row.view())),
        Err(elsewhere) => elsewhere,
    };
    match PaymentConfirmation::ask(&*state.rpc, order, CONFIRMATION_MAX).await {
        Ok(payment) => Ok(payment),
        Err(ConfirmationError::Rpc(RpcError::Nobody)) => Err(elsewhere.into()),
        Err(error) => {
            tracing::warn!(service = "http", %error, "a payment cannot be confirmed");
            let detail = "the payment service does not answer in time; try again";
            Err(Problem::unavailable(detail, RETRY_AFTER))
        }
    }
}

fn parse_cursor(key: &str) -> Option<AuditCursor> {
    let (occurred_at, position) = key.split_once('.')?;
    let occurred_at = DateTime::from_timestamp_micros(occurred_at.parse().ok()?)?;
    Some(AuditCursor { occurred_at, position: position.parse().ok()? })
}
