//! /admin/sagas: sagas, for operators.

use crate::api::group::Group;
use crate::api::orders::{Acknowledged, Page, acknowledged, id, page, saga_status, view};
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::api::views::OrderView;
use crate::api::word::Word;
use crate::api::{cursor, validate};
use ordermill_actors::order::OrderFilter;
use ordermill_domain::ids::OrderId;
use ordermill_domain::order::{SagaStatus, SagaStep};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

/// A saga. Its id is the id of its order.
#[derive(Object)]
struct SagaEntry {
    /// The id of the saga, which is the id of the order.
    saga_id: Uuid,
    /// The status.
    status: Word<SagaStatus>,
    /// The step that it waits for.
    step: Word<SagaStep>,
    /// The order.
    order: OrderView,
}

impl From<OrderView> for SagaEntry {
    fn from(order: OrderView) -> Self {
        let (status, step) = (order.saga.status.clone(), order.saga.step.clone());
        Self { saga_id: order.order_id, status, step, order }
    }
}

/// Sagas, newest first.
#[derive(Object)]
struct SagaList {
    /// The sagas of this page.
    sagas: Vec<SagaEntry>,
    /// Sagas of this page whose stored data is unreadable; the log contains the cause.
    #[oai(default, skip_serializing_if_is_empty)]
    unreadable: Vec<Uuid>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
}

/// The routes.
pub struct AdminApi(pub State);

#[OpenApi(tag = "Group::Admin")]
impl AdminApi {
    /// List sagas, newest first
    ///
    /// `status=FAILED` lists the sagas whose compensation does not complete.
    #[oai(path = "/admin/sagas", method = "get")]
    async fn sagas(
        &self,
        /// Only sagas with this status.
        status: Query<Option<String>>,
        /// Entries per page: 1 to 200. Default: 50.
        limit: Query<Option<u32>>,
        /// The `next_cursor` of the previous page.
        cursor: Query<Option<String>>,
    ) -> Result<Json<SagaList>, Problem> {
        let filter = OrderFilter {
            saga_status: status.0.as_deref().map(saga_status).transpose()?,
            before: cursor::read(cursor.0.as_deref(), |key| key.parse().ok().map(OrderId))?,
            ..OrderFilter::default()
        };
        let Page { orders, unreadable, next_cursor } =
            page(&self.0, &filter, validate::page(limit.0)?).await?;
        let sagas = orders.into_iter().map(SagaEntry::from).collect();
        Ok(Json(SagaList { sagas, unreadable, next_cursor }))
    }

    /// Get a saga with its order
    ///
    /// The same order as `GET /orders/{order_id}`, addressed by its saga.
    #[oai(path = "/admin/sagas/:saga_id", method = "get")]
    async fn saga(&self, saga_id: Path<String>) -> Result<Json<SagaEntry>, Problem> {
        Ok(Json(view(&self.0, id(&saga_id.0)?).await?.into()))
    }

    /// Retry the pending command of a saga at once
    ///
    /// The saga also retries by itself, with growing delays. Idempotent: a repeated request has no
    /// further effect. A saga that is `FAILED` and waits for nothing (money lost after dispatch was
    /// requested) counts as seen to.
    #[oai(path = "/admin/sagas/:saga_id/retry", method = "post")]
    async fn retry(&self, saga_id: Path<String>) -> Result<Acknowledged, Problem> {
        let order = id(&saga_id.0)?;
        Ok(acknowledged(order, self.0.services.order()?.orders.retry(order).await?))
    }
}
