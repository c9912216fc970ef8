//! /admin: sagas and actors, for operators.

use crate::api::cursor;
use crate::api::limits;
use crate::api::orders::{Group, Noted, id, noted, page, saga_status, view};
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::api::views::OrderView;
use ordermill_actors::ids::OrderId;
use ordermill_actors::order::OrderFilter;
use ordermill_actors::runtime::tree::{NodeView, Status};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use uuid::Uuid;

/// A saga; its id is its order's.
#[derive(Object)]
struct SagaEntry {
    saga_id: Uuid,
    status: String,
    step: String,
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
    sagas: Vec<SagaEntry>,
    /// Where the list goes on; null: this is its end.
    next_cursor: Option<String>,
}

/// An actor, and the actors it supervises.
#[derive(Object)]
struct ActorView {
    kind: String,
    /// Unique in this process; percent-encode it in paths.
    name: String,
    /// `starting`, `running`, `restarting` or `stopped`.
    status: String,
    /// How often it was started again.
    restarts: u64,
    /// Why, the last time.
    last_error: Option<String>,
    /// Messages that wait in its mailbox.
    mailbox: u64,
    /// Messages that it has handled.
    handled: u64,
    uptime_ms: u64,
    /// How many it supervises; `children` may list fewer.
    children_total: u64,
    children: Vec<ActorView>,
}

impl From<NodeView> for ActorView {
    fn from(node: NodeView) -> Self {
        let status = match node.status {
            Status::Starting => "starting",
            Status::Running => "running",
            Status::Restarting => "restarting",
            Status::Stopped => "stopped",
        };
        Self {
            kind: node.kind.to_owned(),
            name: node.name,
            status: status.to_owned(),
            restarts: node.restarts,
            last_error: node.last_error,
            mailbox: node.mailbox as u64,
            handled: node.handled,
            uptime_ms: node.uptime_ms,
            children_total: node.children_total as u64,
            children: node.children.into_iter().map(Self::from).collect(),
        }
    }
}

/// The actors of this process.
#[derive(Object)]
struct ActorTree {
    actors: Vec<ActorView>,
}

/// An actor is being started again.
#[derive(ApiResponse)]
enum Restarting {
    /// It was ended, and its supervisor starts it again.
    #[oai(status = 202)]
    Accepted(Json<RestartView>),
}

/// The actor that is being started again.
#[derive(Object)]
struct RestartView {
    name: String,
}

/// The routes.
pub struct AdminApi(pub State);

#[OpenApi(tag = "Group::Admin")]
impl AdminApi {
    /// List sagas, newest first
    #[oai(path = "/admin/sagas", method = "get")]
    async fn sagas(
        &self,
        /// `IN_PROGRESS`, `COMPENSATING`, `COMPLETED`, `COMPENSATED` or `FAILED`.
        status: Query<Option<String>>,
        /// Entries on a page: 1 to 200, 50 if not said.
        limit: Query<Option<u32>>,
        /// Where the last page ended.
        cursor: Query<Option<String>>,
    ) -> Result<Json<SagaList>, Problem> {
        let filter = OrderFilter {
            saga_status: status.0.as_deref().map(saga_status).transpose()?,
            before: cursor::read(cursor.0.as_deref(), |key| key.parse().ok().map(OrderId))?,
            ..OrderFilter::default()
        };
        let (orders, next_cursor) = page(&self.0, &filter, limits::page(limit.0)?).await?;
        Ok(Json(SagaList { sagas: orders.into_iter().map(SagaEntry::from).collect(), next_cursor }))
    }

    /// A saga with its order
    #[oai(path = "/admin/sagas/:saga_id", method = "get")]
    async fn saga(&self, saga_id: Path<String>) -> Result<Json<SagaEntry>, Problem> {
        Ok(Json(view(&self.0, id(&saga_id.0)?).await?.into()))
    }

    /// Send what a saga waits for again, at once
    #[oai(path = "/admin/sagas/:saga_id/retry", method = "post")]
    async fn retry(&self, saga_id: Path<String>) -> Result<Noted, Problem> {
        let order = id(&saga_id.0)?;
        Ok(noted(order, self.0.services.order()?.orders.retry(order).await?))
    }

    /// The actors of this process, as they are now
    #[oai(path = "/admin/actors", method = "get")]
    async fn actors(
        &self,
        /// Page the children of this actor.
        under: Query<Option<String>>,
        /// Its children after this one.
        after: Query<Option<String>>,
        /// Children listed of each actor that has many: 1 to 200, 50 if not said.
        limit: Query<Option<u32>>,
    ) -> Result<Json<ActorTree>, Problem> {
        let limit = limits::page(limit.0)? as usize;
        let view = self.0.tree.view(under.0.as_deref(), after.0.as_deref(), limit);
        Ok(Json(ActorTree { actors: view.into_iter().map(ActorView::from).collect() }))
    }

    /// Start an actor again
    #[oai(path = "/admin/actors/:name/restart", method = "post")]
    async fn restart(&self, name: Path<String>) -> Result<Restarting, Problem> {
        if !self.0.tree.restart(&name.0) {
            return Err(Problem::not_found("no actor of this name can be started again here"));
        }
        tracing::warn!(service = "http", actor = %name.0, "an operator restarts an actor");
        Ok(Restarting::Accepted(Json(RestartView { name: name.0 })))
    }
}
