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
    /// It is done, or about to be.
    #[oai(status = 202)]
    Accepted(Json<ActorName>),
}

/// The actor that it is done to.
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
    /// The actors of this process, as they are now
    ///
    /// A tree: each actor below the one that supervises it. Of actors with many children a page is listed;
    /// `next_after` continues it.
    #[oai(path = "/admin/actors", method = "get")]
    async fn actors(
        &self,
        /// Only this actor and those below it.
        under: Query<Option<String>>,
        /// Of its children, those after this one.
        after: Query<Option<String>>,
        /// Children listed of each actor that has many: 1 to 200, 50 if not said.
        limit: Query<Option<u32>>,
        /// How many levels below the first are listed; all, if not said.
        depth: Query<Option<u32>>,
        /// Only actors of this kind, and those above them.
        kind: Query<Option<String>>,
        /// Only actors that do this, and those above them.
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
        let view = tree.view(&look).ok_or_else(|| {
            Problem::bad_parameter("under", "must be the name of an actor that supervises others")
        })?;
        let actors = view.into_iter().map(ActorView::from).collect();
        Ok(Json(ActorTree { totals: tree.totals().into(), actors }))
    }

    /// What becomes of actors, as it happens
    ///
    /// Server-sent events. Without `kind`: every part's, and of the many sagas, payments and products what
    /// is out of the ordinary (`failed`, `quarantined`, `released`, `started` again). With it: all of that
    /// kind. Nothing is kept: who is not connected misses it, and who is too slow is told how many (`missed`).
    #[oai(path = "/admin/actors/events", method = "get")]
    async fn events(
        &self,
        /// Only actors of this kind, and all that becomes of them.
        kind: Query<Option<String>>,
    ) -> Result<ActorEvents, Problem> {
        let lifecycle = self.0.tree.lifecycle();
        if lifecycle.listeners() >= STREAMS_MAX {
            return Err(Problem::unavailable("too many streams are open", STREAM_RETRY_AFTER));
        }
        let events = if kind.0.is_some() { lifecycle.all() } else { lifecycle.notable() };
        Ok(EventStream::new(follow(events, kind.0, self.0.stop.clone()).boxed())
            .keep_alive(KEEP_ALIVE)
            .to_event(|view| {
                let name = view.event.as_str().to_owned();
                Event::message(view.to_json_string()).event_type(name)
            }))
    }

    /// One actor: its last messages, and why it was started again
    ///
    /// With the order that it works for, where there is one.
    #[oai(path = "/admin/actors/:name", method = "get")]
    async fn actor(&self, name: Path<String>) -> Result<Json<ActorPageView>, Problem> {
        let page = self.0.tree.actor(&name.0);
        let page = page.ok_or_else(|| Problem::not_found("no actor of this name lives here"))?;
        Ok(Json(page.into()))
    }

    /// Start an actor again
    ///
    /// From what the database knows: a part at once, an order, a payment or a product with its next message.
    /// Messages that wait for it are delivered again.
    #[oai(path = "/admin/actors/:name/restart", method = "post")]
    async fn restart(&self, name: Path<String>) -> Result<Done, Problem> {
        if !self.0.tree.restart(&name.0) {
            return Err(match self.0.tree.actor(&name.0) {
                Some(page) if page.actor.status == Status::Quarantined => {
                    Problem::conflict("it is quarantined: release it")
                }
                Some(_) => Problem::conflict("nobody could start it again: restart the process"),
                None => Problem::not_found("no actor of this name lives here"),
            });
        }
        tracing::warn!(service = "http", actor = %name.0, "an operator restarts an actor");
        Ok(Done::Accepted(Json(ActorName { name: name.0 })))
    }

    /// Release an actor from quarantine
    ///
    /// Its next message starts it afresh, from what the database knows.
    #[oai(path = "/admin/actors/:name/release", method = "post")]
    async fn release(&self, name: Path<String>) -> Result<Done, Problem> {
        if !self.0.tree.release(&name.0) {
            return Err(match self.0.tree.actor(&name.0) {
                Some(_) => Problem::conflict("it is not quarantined"),
                None => Problem::not_found("no actor of this name lives here"),
            });
        }
        tracing::warn!(service = "http", actor = %name.0, "an operator releases an actor");
        Ok(Done::Accepted(Json(ActorName { name: name.0 })))
    }
}

fn actor_status(word: &str) -> Result<Status, Problem> {
    Status::parse(word).ok_or_else(|| {
        let words = Status::ALL.map(Status::as_str).join(", ");
        Problem::bad_parameter("status", format!("must be one of {words}"))
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
