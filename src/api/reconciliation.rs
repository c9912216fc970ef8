//! /admin/reconciliation: what the services of this process say of orders and products, for `ordermill check`.

use crate::api::body::Raw;
use crate::api::group::Group;
use crate::api::orders::id;
use crate::api::problem::{FieldError, Problem};
use crate::api::state::State;
use crate::api::time::Time;
use ordermill_actors::order::AskError;
use ordermill_actors::reconciliation::{OrderRecords, Source, Sources};
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::reconciliation::Span;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Any;
use poem_openapi::{Object, OpenApi};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use uuid::Uuid;

/// Records of orders in an answer, at the most.
const ORDERS_MAX: u32 = 1_000;
/// Records of products in an answer, at the most.
const PRODUCTS_MAX: u32 = 10_000;
/// Orders that one request has restated, at the most.
const REPAIRED_MAX: usize = 100;

/// A kind of record, as paths name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// What the order service says of orders.
    Orders,
    /// What the inventory service says of orders.
    Reservations,
    /// What the payment service says of orders.
    Payments,
    /// What the gateway's ledger says of orders.
    Ledger,
    /// What the shipping service says of orders.
    Shipments,
    /// What the audit says of orders.
    Audit,
    /// What the notification service says of orders.
    Notifications,
    /// What the inventory service says of products.
    Products,
}

impl Kind {
    /// Every kind.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The kind as it is written.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    fn is_in(self, sources: &Sources) -> bool {
        match self {
            Self::Orders => sources.order.is_some(),
            Self::Reservations => sources.reservation.is_some(),
            Self::Payments => sources.payment.is_some(),
            Self::Ledger => sources.ledger.is_some(),
            Self::Shipments => sources.shipment.is_some(),
            Self::Audit => sources.audit.is_some(),
            Self::Notifications => sources.notifications.is_some(),
            Self::Products => sources.products.is_some(),
        }
    }
}

/// The records that this process provides, and its lag.
#[derive(Object)]
struct ReconciliationOverview {
    /// The kinds of records that the services of this process provide.
    records: Vec<String>,
    /// The clock of this process.
    now: Time,
    /// The largest lag of the last few seconds, in milliseconds.
    lag_ms: u64,
}

/// Records, ordered by the id of their order or product.
#[derive(Object)]
struct RecordList {
    /// The records, in the format that `ordermill check` of the same version reads.
    records: Vec<Any<serde_json::Value>>,
}

/// Orders whose events are republished.
#[derive(Object, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repair {
    /// The orders, 1 to 100.
    order_ids: Vec<Uuid>,
}

/// The result of the repair.
#[derive(Object)]
struct Repaired {
    /// Orders whose events are republished.
    restated: u64,
    /// Unknown orders.
    unknown: Vec<Uuid>,
}

/// The routes.
pub struct ReconciliationApi(pub State);

#[OpenApi(tag = "Group::Admin")]
impl ReconciliationApi {
    /// Get the record kinds and the lag of this process
    ///
    /// `ordermill check` reads this first, and again before it re-reads differing records.
    #[oai(path = "/admin/reconciliation", method = "get")]
    async fn overview(&self) -> Result<Json<ReconciliationOverview>, Problem> {
        let state = self.0.system().state().await?;
        let kinds = Kind::ALL.iter().filter(|kind| kind.is_in(self.0.services.sources()));
        Ok(Json(ReconciliationOverview {
            records: kinds.map(|kind| kind.as_str().to_owned()).collect(),
            now: state.now.into(),
            lag_ms: u64::try_from(state.lag.as_millis()).unwrap_or(u64::MAX),
        }))
    }

    /// List the records of a service for reconciliation
    ///
    /// `ordermill check` reads and compares these records. Their format may change with every
    /// version.
    #[oai(path = "/admin/reconciliation/:records", method = "get")]
    async fn of_service(
        &self,
        /// `orders`, `reservations`, `payments`, `ledger`, `shipments`, `audit`, `notifications` or `products`.
        records: Path<String>,
        /// Only records after this order id, or after this product id for `products`.
        after: Query<Option<String>>,
        /// Only orders up to and including this one.
        until: Query<Option<String>>,
        /// Maximum number of records: 1 to 1000, for `products` 1 to 10000. Default: the maximum.
        limit: Query<Option<u32>>,
    ) -> Result<Json<RecordList>, Problem> {
        let kind = Kind::ALL.iter().copied().find(|known| known.as_str() == records.0);
        let kind = kind.ok_or_else(|| {
            let words: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
            Problem::bad_parameter("records", format!("must be one of {}", words.join(", ")))
        })?;
        let sources = self.0.services.sources();
        if kind == Kind::Products {
            let limit = limit_of(limit.0, PRODUCTS_MAX)?;
            let products = sources.products.as_ref().ok_or_else(|| elsewhere(kind))?;
            let after = after.0.as_deref().map(ProductId::from);
            return answer(&products.products(after.as_ref(), limit).await?);
        }
        let all = Span::all(limit_of(limit.0, ORDERS_MAX)?);
        let span = Span {
            after: after.0.as_deref().map_or(Ok(all.after), id)?,
            until: until.0.as_deref().map_or(Ok(all.until), id)?,
            ..all
        };
        match kind {
            Kind::Orders => read(&sources.order, kind, span).await,
            Kind::Reservations => read(&sources.reservation, kind, span).await,
            Kind::Payments => read(&sources.payment, kind, span).await,
            Kind::Ledger => read(&sources.ledger, kind, span).await,
            Kind::Shipments => read(&sources.shipment, kind, span).await,
            Kind::Audit => read(&sources.audit, kind, span).await,
            Kind::Notifications => read(&sources.notifications, kind, span).await,
            Kind::Products => Err(elsewhere(kind)),
        }
    }

    /// Republish the messages of orders
    ///
    /// The order service republishes all messages of each order with their original ids, and
    /// requests the latest outcomes from the other services. Services ignore messages that they
    /// have already handled. This repairs missed messages; it does not change records that
    /// contradict each other.
    #[oai(path = "/admin/reconciliation/repairs", method = "post")]
    async fn repair(&self, body: Raw<Repair>) -> Result<Json<Repaired>, Problem> {
        let Repair { order_ids } = body.parse()?;
        if order_ids.is_empty() || order_ids.len() > REPAIRED_MAX {
            let message = format!("must have 1 to {REPAIRED_MAX} orders");
            return Err(Problem::faulty("repair", vec![FieldError::new("order_ids", message)]));
        }
        let orders = &self.0.services.order()?.orders;
        let restating = order_ids
            .into_iter()
            .map(|order| async move { (order, orders.restate(OrderId(order)).await) });
        let (mut restated, mut unknown) = (0, Vec::new());
        for (order, outcome) in futures::future::join_all(restating).await {
            match outcome {
                // What waits for nothing but has nothing to be said again is as it was.
                Ok(_) | Err(AskError::Conflict { .. }) => restated += 1,
                Err(AskError::NotFound) => unknown.push(order),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Json(Repaired { restated, unknown }))
    }
}

async fn read<T: Serialize + 'static>(
    source: &Source<T>,
    kind: Kind,
    span: Span,
) -> Result<Json<RecordList>, Problem> {
    let source: &dyn OrderRecords<T> = source.as_deref().ok_or_else(|| elsewhere(kind))?;
    answer(&source.records(span).await?)
}

fn answer<T: Serialize>(records: &[T]) -> Result<Json<RecordList>, Problem> {
    let value = |record: &T| serde_json::to_value(record).map(Any);
    let records = records.iter().map(value).collect::<Result<_, _>>();
    Ok(Json(RecordList { records: records.map_err(|error| Problem::internal(&error))? }))
}

fn elsewhere(kind: Kind) -> Problem {
    let kind = kind.as_str();
    Problem::not_found(format!("the service that provides {kind} does not run in this process"))
}

fn limit_of(limit: Option<u32>, max: u32) -> Result<u32, Problem> {
    match limit.unwrap_or(max) {
        limit if (1..=max).contains(&limit) => Ok(limit),
        _ => Err(Problem::bad_parameter("limit", format!("must be from 1 to {max}"))),
    }
}
