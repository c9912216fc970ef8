//! /payments, /shipments, /audit: what the other services have of an order.

use crate::api::cursor;
use crate::api::decimal::Decimal;
use crate::api::group::Group;
use crate::api::orders::id;
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::api::time::Time;
use crate::api::validate;
use crate::api::word::Word;
use chrono::DateTime;
use ordermill_actors::audit::AuditCursor;
use ordermill_actors::ids::OrderId;
use ordermill_actors::messages::Kind;
use ordermill_actors::payment::{
    ConfirmationError, PaymentConfirmation, PaymentStatus, PaymentView,
};
use ordermill_actors::ports::RpcError;
use ordermill_actors::shipping::{Shipment, ShipmentStatus};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Any;
use poem_openapi::{Object, OpenApi};
use std::time::Duration;
use uuid::Uuid;

/// A payment, as the payment service has it.
#[derive(Object)]
struct PaymentRecord {
    /// The order.
    order_id: Uuid,
    /// How it stands.
    status: Word<PaymentStatus>,
    /// What was to be paid; null if it was undone before that was known.
    amount: Option<Decimal>,
    /// The currency of every amount, as a code of ISO 4217.
    currency: Option<String>,
    /// What the gateway has captured.
    captured: Option<Decimal>,
    /// What it has given back.
    refunded: Option<Decimal>,
    /// How it was to be paid.
    method: Option<String>,
    /// The gateway's identifier.
    transaction_id: Option<String>,
    /// Why the gateway refused.
    reason: Option<String>,
    /// How often the gateway was asked anything.
    attempts: u32,
    /// When it was asked for.
    created_at: Time,
    /// When it last changed.
    updated_at: Time,
}

impl From<PaymentView> for PaymentRecord {
    fn from(payment: PaymentView) -> Self {
        Self {
            order_id: payment.order_id.0,
            status: payment.status.into(),
            amount: payment.amount.map(Decimal),
            currency: payment.amount.map(|amount| amount.currency.code().to_owned()),
            captured: payment.captured.map(Decimal),
            refunded: payment.refunded.map(Decimal),
            method: payment.method,
            transaction_id: payment.transaction_id,
            reason: payment.reason,
            attempts: payment.attempts,
            created_at: payment.created_at.into(),
            updated_at: payment.updated_at.into(),
        }
    }
}

/// A shipment, as the shipping service has it.
#[derive(Object)]
struct ShipmentRecord {
    /// The order.
    order_id: Uuid,
    /// How it stands.
    status: Word<ShipmentStatus>,
    /// To follow the parcel by.
    tracking_code: Option<String>,
    /// What the carrier takes.
    freight: Option<Decimal>,
    /// The currency of the freight, as a code of ISO 4217.
    currency: Option<String>,
    /// When it should arrive.
    estimated_delivery: Option<Time>,
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
            status: shipment.state.status().into(),
            tracking_code: scheduled.map(|scheduled| scheduled.tracking_code.clone()),
            freight: scheduled.map(|scheduled| Decimal(scheduled.freight)),
            currency: scheduled.map(|scheduled| scheduled.freight.currency.code().to_owned()),
            estimated_delivery: scheduled.map(|scheduled| scheduled.estimated_delivery.into()),
            units: parcel.map(|parcel| parcel.units),
            reason,
        }
    }
}

/// An event, as the audit keeps it.
#[derive(Object)]
struct AuditRecord {
    /// The message's identifier.
    event_id: Uuid,
    /// The message's name.
    event_type: Word<Kind>,
    /// 0, and counted on where the same thing may happen twice to one order.
    number: u32,
    /// The order.
    order_id: Uuid,
    /// When it happened.
    occurred_at: Time,
    /// When the audit took it down.
    recorded_at: Time,
    /// The whole message, as it went from one service to another: amounts are decimal strings beside their
    /// currency, or in minor units where a name ends in `_minor`.
    message: Any<serde_json::Value>,
}

/// An order's events in the order in which they happened.
#[derive(Object)]
struct AuditList {
    /// The events of this page.
    entries: Vec<AuditRecord>,
    /// Where the list goes on; null: this is its end.
    next_cursor: Option<String>,
}

/// The routes.
pub struct RecordsApi(pub State);

#[OpenApi(tag = "Group::Records")]
impl RecordsApi {
    /// An order's payment
    ///
    /// As the payment service has it: what was captured, what was given back, and why it was refused.
    #[oai(path = "/payments/:order_id", method = "get")]
    async fn payment(&self, order_id: Path<String>) -> Result<Json<PaymentRecord>, Problem> {
        let payment = payment_of(&self.0, id(&order_id.0)?).await?;
        let payment = payment.ok_or_else(|| Problem::not_found("this order has no payment yet"))?;
        Ok(Json(payment.into()))
    }

    /// An order's shipment
    ///
    /// As the shipping service has it.
    #[oai(path = "/shipments/:order_id", method = "get")]
    async fn shipment(&self, order_id: Path<String>) -> Result<Json<ShipmentRecord>, Problem> {
        let row = self.0.services.shipping()?.shipment(id(&order_id.0)?).await?;
        let row = row.ok_or_else(|| Problem::not_found("this order has no shipment yet"))?;
        Ok(Json(ShipmentRecord::from(&row)))
    }

    /// Everything that happened to an order
    ///
    /// Every event that services told each other, in the order in which they happened.
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
        let (order, limit) = (id(&order_id.0)?, validate::page(limit.0)?);
        let after = cursor::read(cursor.0.as_deref(), parse_cursor)?;
        let entries = self.0.services.audit()?.events(order, after, limit).await?;
        let last = entries.last().filter(|_| entries.len() == limit as usize);
        let next_cursor = last.map(|entry| {
            let AuditCursor { occurred_at, position } = entry.cursor();
            cursor::write(&format!("{}.{position}", occurred_at.timestamp_micros()))
        });
        let record = |entry: ordermill_actors::audit::AuditEntry| AuditRecord {
            event_id: entry.event_id,
            event_type: Word::stored(entry.event_type),
            number: entry.number,
            order_id: entry.order_id.0,
            occurred_at: entry.occurred_at.into(),
            recorded_at: entry.recorded_at.into(),
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
