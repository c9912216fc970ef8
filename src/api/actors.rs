//! /admin/actors: the tree of this process, one actor's page, what becomes of actors, and what an
//! operator does about it.

use crate::api::actor_views::{ActorEventView, ActorPageView, ActorTree, ActorView};
use crate::api::group::Group;
use crate::api::orders::KEEP_ALIVE;
use crate::api::problem::Problem;
use crate::api::state::State;
use crate::api::validate;
use futures::StreamExt;
use futures::stream::{BoxStream, unfold};
use ordermill_actors::runtime::lifecycle::LifecycleEvent;
use ordermill_actors::runtime::tree::{Status, TreeQuery};
use poem::web::sse::Event;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{EventStream, Json};
use poem_openapi::types::ToJSON;
use poem_openapi::{ApiResponse, Object, OpenApi};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Streams of actors' events that are open at a time: people watch them, not machines.
const STREAMS_MAX: usize = 100;

/// When it is worth another try to open one.
const STREAM_RETRY_AFTER: Duration = Duration::from_secs(5);

/// What an operator wanted of an actor is being done.
#[derive(ApiResponse)]
enum Done {
    /// Accepted: it is done, or will be done shortly.
    #[oai(status = 202)]
    Accepted(Json<ActorName>),
}

/// The actor that the operation applies to.
#[derive(Object)]
struct ActorName {
    /// Its name.
    name: String,
}

/// A stream of what becomes of actors.
type ActorEvents = EventStream<BoxStream<'static, ActorEventView>>;

/// The routes.
pub struct ActorsApi(pub State);

#[OpenApi(tag = "Group::Admin")]
impl ActorsApi {
    /// List the actors of this process
    ///
    /// A tree: each actor is listed below its supervisor. Children are listed in pages; pass
    /// `next_after` as `after` to get the next page.
    #[oai(path = "/admin/actors", method = "get")]
    async fn actors(
        &self,
        /// Only this actor and its descendants.
        under: Query<Option<String>>,
        /// Only children after this one.
        after: Query<Option<String>>,
        /// Maximum number of children listed per actor: 1 to 200. Default: 50.
        limit: Query<Option<u32>>,
        /// Number of levels listed below the first. Default: all.
        depth: Query<Option<u32>>,
        /// Only actors of this kind, and their supervisors.
        kind: Query<Option<String>>,
        /// Only actors with this status, and their supervisors.
        status: Query<Option<String>>,
    ) -> Result<Json<ActorTree>, Problem> {
        let look = TreeQuery {
            under: under.0.as_deref(),
            after: after.0.as_deref(),
            limit: validate::page(limit.0)? as usize,
            depth: depth.0.map_or(usize::MAX, |depth| depth as usize),
            kind: kind.0.as_deref(),
            status: status.0.as_deref().map(actor_status).transpose()?,
        };
        let tree = &self.0.tree;
        let view = tree
            .view(&look)
            .ok_or_else(|| Problem::bad_parameter("under", "must be the name of a supervisor"))?;
        let actors = view.into_iter().map(ActorView::from).collect();
        Ok(Json(ActorTree { totals: tree.totals().into(), actors }))
    }

    /// Stream the lifecycle events of actors
    ///
    /// Server-sent events. Without `kind`: all events of the static actors, and of sagas, payments
    /// and products only `failed`, `quarantined`, `released`, and `started` after a failure. With
    /// `kind`: all events of that kind. Events are not stored: a client that is not connected
    /// misses them. A client that is too slow receives a `missed` event with the number of lost
    /// events.
    #[oai(path = "/admin/actors/events", method = "get")]
    async fn events(
        &self,
        /// Only actors of this kind, with all their events.
        kind: Query<Option<String>>,
    ) -> Result<ActorEvents, Problem> {
        let lifecycle = self.0.tree.lifecycle();
        if lifecycle.listeners() >= STREAMS_MAX {
            return Err(Problem::unavailable(
                "too many open event streams; close one, or retry later",
                STREAM_RETRY_AFTER,
            ));
        }
        let events = if kind.0.is_some() { lifecycle.all() } else { lifecycle.notable() };
        Ok(EventStream::new(follow(events, kind.0, self.0.stop.clone()).boxed())
            .keep_alive(KEEP_ALIVE)
            .to_event(|view| {
                let name = view.event.as_str().to_owned();
                Event::message(view.to_json_string()).event_type(name)
            }))
    }

    /// Get an actor with its last messages and restarts
    ///
    /// Includes the order that the actor handles, if any.
    #[oai(path = "/admin/actors/:name", method = "get")]
    async fn actor(&self, name: Path<String>) -> Result<Json<ActorPageView>, Problem> {
        let page = self.0.tree.actor(&name.0);
        let page = page.ok_or_else(|| {
            Problem::not_found("there is no actor with this name in this process")
        })?;
        Ok(Json(page.into()))
    }

    /// Restart an actor
    ///
    /// The actor reloads its state from the database: a static actor at once; an order, payment or
    /// product with its next message. Its pending messages are redelivered.
    #[oai(path = "/admin/actors/:name/restart", method = "post")]
    async fn restart(&self, name: Path<String>) -> Result<Done, Problem> {
        if !self.0.tree.restart(&name.0) {
            return Err(match self.0.tree.actor(&name.0) {
                Some(page) if page.actor.status == Status::Quarantined => Problem::conflict(
                    "the actor is quarantined; release it with POST /admin/actors/{name}/release",
                ),
                Some(_) => Problem::conflict(
                    "this actor cannot be restarted by itself; restart the process",
                ),
                None => Problem::not_found("there is no actor with this name in this process"),
            });
        }
        tracing::warn!(service = "http", actor = %name.0, "actor restart requested by an operator");
        Ok(Done::Accepted(Json(ActorName { name: name.0 })))
    }

    /// Release an actor from quarantine
    ///
    /// The next message starts the actor again, from the state in the database.
    #[oai(path = "/admin/actors/:name/release", method = "post")]
    async fn release(&self, name: Path<String>) -> Result<Done, Problem> {
        if !self.0.tree.release(&name.0) {
            return Err(match self.0.tree.actor(&name.0) {
                Some(_) => Problem::conflict("the actor is not quarantined"),
                None => Problem::not_found("there is no actor with this name in this process"),
            });
        }
        tracing::warn!(service = "http", actor = %name.0, "actor released from quarantine by an operator");
        Ok(Done::Accepted(Json(ActorName { name: name.0 })))
    }
}

fn actor_status(word: &str) -> Result<Status, Problem> {
    Status::parse(word).ok_or_else(|| {
        let words: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
        Problem::bad_parameter("status", format!("must be one of {}", words.join(", ")))
    })
}

/// Events as they come, until the process is asked to end.
fn follow(
    events: Receiver<Arc<LifecycleEvent>>,
    kind: Option<String>,
    stop: CancellationToken,
) -> impl futures::Stream<Item = ActorEventView> + Send {
    unfold((events, kind, stop), |(mut events, kind, stop)| async move {
        loop {
            let view = match stop.run_until_cancelled(events.recv()).await? {
                Ok(event) if kind.as_ref().is_none_or(|kind| kind == event.kind) => {
                    ActorEventView::from(&*event)
                }
                Ok(_) => continue,
                Err(RecvError::Lagged(missed)) => ActorEventView::missed(missed),
                Err(RecvError::Closed) => return None,
            };
            return Some((view, (events, kind, stop)));
        }
    })
}
