//! /admin/payments, /admin/notifications: which payments need a person, and what gateways told.

use crate::api::group::Group;
use crate::api::orders::id;
use crate::api::payment_record::PaymentRecord;
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::api::time::Time;
use crate::api::word::Word;
use crate::api::{cursor, validate};
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{Attention, NotificationRow, Provider};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

/// In place of a word of attention: every one.
const ANY: &str = "any";

/// In place of an order: notifications of no payment that was known.
const NO_ORDER: &str = "none";

/// Payments with an attention, in the order of their orders' ids.
#[derive(Object)]
struct PaymentList {
    /// The payments of this page.
    payments: Vec<PaymentRecord>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// A genuine notification of a payment gateway. Its body is not shown: it names the customer.
#[derive(Object)]
struct GatewayNotification {
    /// Its identifier.
    id: Uuid,
    /// The gateway.
    provider: Word<Provider>,
    /// The gateway's name of the payment.
    reference: String,
    /// The order; null if it is of no payment that was known.
    order_id: Option<Uuid>,
    /// The time at which it came first.
    received_at: Time,
    /// How often the same notification came.
    times: u32,
    /// What it says: its status words and its amount.
    text: String,
}

impl From<NotificationRow> for GatewayNotification {
    fn from(row: NotificationRow) -> Self {
        Self {
            id: row.id,
            provider: row.provider.into(),
            reference: row.reference,
            order_id: row.order_id.map(|order| order.0),
            received_at: row.received_at.into(),
            times: row.times,
            text: row.text,
        }
    }
}

/// Notifications of payment gateways, newest first.
#[derive(Object)]
struct GatewayNotificationList {
    /// The notifications of this page.
    notifications: Vec<GatewayNotification>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// The routes.
pub struct AdminPaymentsApi(pub State);

#[OpenApi(tag = "Group::Admin")]
impl AdminPaymentsApi {
    /// List payments that a person should know of
    ///
    /// Those with an attention, by order id. With `refund_by_hand` and `cancel_rejected`, nothing
    /// goes on before a person acts.
    #[oai(path = "/admin/payments", method = "get")]
    async fn payments(
        &self,
        /// Only payments with this attention, for example `refund_by_hand`. Default: `any`.
        attention: Query<Option<String>>,
        /// Entries per page: 1 to 200. Default: 50.
        limit: Query<Option<u32>>,
        /// The `next_cursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Result<Json<PaymentList>, Problem> {
        let attention = attention_of(attention.0.as_deref().unwrap_or(ANY))?;
        let limit = validate::page(limit.0)?;
        let after = cursor::read(cursor.0.as_deref(), |key| key.parse().ok().map(OrderId))?;
        let reads = self.0.services.payment()?.reads;
        let rows = reads.needing_attention(attention, after, limit).await?;
        let last = rows.last().filter(|_| rows.len() == limit as usize);
        let next_cursor = last.map(|row| cursor::write(&row.order_id.to_string()));
        let payments = rows.iter().map(|row| row.view().into()).collect();
        Ok(Json(PaymentList { payments, next_cursor }))
    }

    /// List the notifications of payment gateways
    ///
    /// Those of one order, or those of no known payment, newest first. They are kept for 90 days;
    /// at most 50 of one payment are stored.
    #[oai(path = "/admin/notifications", method = "get")]
    async fn notifications(
        &self,
        /// The order; `none`: notifications of no payment that was known.
        order: Query<String>,
        /// Entries per page: 1 to 200. Default: 50.
        limit: Query<Option<u32>>,
        /// The `next_cursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Result<Json<GatewayNotificationList>, Problem> {
        let order = order_of(&order.0)?;
        let limit = validate::page(limit.0)?;
        let before = cursor::read(cursor.0.as_deref(), |key| Uuid::try_parse(key).ok())?;
        let log = self.0.services.payment()?.log;
        let rows = log.notifications(order, before, limit).await?;
        let last = rows.last().filter(|_| rows.len() == limit as usize);
        let next_cursor = last.map(|row| cursor::write(&row.id.to_string()));
        let notifications = rows.into_iter().map(GatewayNotification::from).collect();
        Ok(Json(GatewayNotificationList { notifications, next_cursor }))
    }

    /// Get a notification of a payment gateway
    ///
    /// Without its body, which names the customer.
    #[oai(path = "/admin/notifications/:id", method = "get")]
    async fn notification(&self, id: Path<String>) -> Result<Json<GatewayNotification>, Problem> {
        let unknown = || Problem::not_found("there is no such notification");
        let id = Uuid::try_parse(&id.0).map_err(|_| unknown())?;
        let stored = self.0.services.payment()?.log.notification(id).await?;
        Ok(Json(stored.ok_or_else(unknown)?.row.into()))
    }
}

/// The attention of a word; None: any.
fn attention_of(word: &str) -> Result<Option<Attention>, Problem> {
    if word == ANY {
        return Ok(None);
    }
    let known = Attention::ALL.iter().copied().find(|attention| attention.as_str() == word);
    known.map(Some).ok_or_else(|| {
        let words: Vec<_> = Attention::ALL.iter().map(|attention| attention.as_str()).collect();
        Problem::bad_parameter(
            "attention",
            format!("must be {ANY}, or one of {}", words.join(", ")),
        )
    })
}

/// The order of a word; None: no order.
fn order_of(word: &str) -> Result<Option<OrderId>, Problem> {
    if word == NO_ORDER {
        return Ok(None);
    }
    id(word).map(Some).map_err(|_| {
        Problem::bad_parameter("order", format!("must be the id of an order, or {NO_ORDER}"))
    })
}
