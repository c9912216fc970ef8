//! /payments, /shipments, /audit: what the other services have of an order.

use crate::api::decimal::Decimal;
use crate::api::group::Group;
use crate::api::orders::id;
use crate::api::payment_record::PaymentRecord;
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::api::time::Time;
use crate::api::word::Word;
use crate::api::{cursor, validate};
use chrono::DateTime;
use ordermill_actors::payment::{ConfirmationError, PaymentConfirmation};
use ordermill_actors::ports::RpcError;
use ordermill_domain::audit::AuditCursor;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::Kind;
use ordermill_domain::payment::PaymentView;
use ordermill_domain::shipping::{Shipment, ShipmentStatus};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Any;
use poem_openapi::{Object, OpenApi};
use std::time::Duration;
use uuid::Uuid;

/// A shipment, as the shipping service records it.
#[derive(Object)]
struct ShipmentRecord {
    /// The order.
    order_id: Uuid,
    /// The status.
    status: Word<ShipmentStatus>,
    /// The tracking code.
    tracking_code: Option<String>,
    /// The shipping cost.
    freight: Option<Decimal>,
    /// The currency of the shipping cost, an ISO 4217 code.
    currency: Option<String>,
    /// The estimated delivery date.
    estimated_delivery: Option<Time>,
    /// Number of units in the parcel.
    units: Option<u64>,
    /// The reason why the carrier refused.
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

/// An event as the audit service records it.
#[derive(Object)]
struct AuditRecord {
    /// The message's identifier.
    event_id: Uuid,
    /// The message's name.
    event_type: Word<Kind>,
    /// 0, or a running number if the same event can occur more than once for one order.
    number: u32,
    /// The order.
    order_id: Uuid,
    /// The time at which it occurred.
    occurred_at: Time,
    /// The time at which the audit service recorded it.
    recorded_at: Time,
    /// The complete message. Amounts are decimal strings with their currency, or integers in minor
    /// units where the field name ends in `_minor`.
    message: Any<serde_json::Value>,
}

/// The events of an order, in the order in which they occurred.
#[derive(Object)]
struct AuditList {
    /// The events of this page.
    entries: Vec<AuditRecord>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// The routes.
pub struct RecordsApi(pub State);

#[OpenApi(tag = "Group::Records")]
impl RecordsApi {
    /// Get the payment of an order
    ///
    /// As recorded by the payment service: captured and refunded amounts, the refunds, the reason if
    /// it was declined, and what a person should know or do.
    #[oai(path = "/payments/:order_id", method = "get")]
    async fn payment(&self, order_id: Path<String>) -> Result<Json<PaymentRecord>, Problem> {
        let payment = payment_of(&self.0, id(&order_id.0)?).await?;
        let payment = payment.ok_or_else(|| Problem::not_found("this order has no payment yet"))?;
        Ok(Json(payment.into()))
    }

    /// Get the shipment of an order
    ///
    /// As recorded by the shipping service.
    #[oai(path = "/shipments/:order_id", method = "get")]
    async fn shipment(&self, order_id: Path<String>) -> Result<Json<ShipmentRecord>, Problem> {
        let row = self.0.services.shipping()?.shipment(id(&order_id.0)?).await?;
        let row = row.ok_or_else(|| Problem::not_found("this order has no shipment yet"))?;
        Ok(Json(ShipmentRecord::from(&row)))
    }

    /// List the audit events of an order
    ///
    /// All events between the services, in the order in which they occurred.
    #[oai(path = "/audit", method = "get")]
    async fn audit(
        &self,
        /// The order.
        order_id: Query<String>,
        /// Entries per page: 1 to 200. Default: 50.
        limit: Query<Option<u32>>,
        /// The `next_cursor` of the previous page.
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
        let record = |entry: ordermill_domain::audit::AuditEntry| AuditRecord {
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
            tracing::warn!(service = "http", %error, "confirming a payment failed");
            let detail = "the payment service does not respond in time; retry later";
            Err(Problem::unavailable(detail, RETRY_AFTER))
        }
    }
}

fn parse_cursor(key: &str) -> Option<AuditCursor> {
    let (occurred_at, position) = key.split_once('.')?;
    let occurred_at = DateTime::from_timestamp_micros(occurred_at.parse().ok()?)?;
    Some(AuditCursor { occurred_at, position: position.parse().ok()? })
}
