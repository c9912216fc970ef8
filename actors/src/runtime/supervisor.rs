//! The supervisor: starts a service's parts, and starts them again when they fail.
//!
//! ```text
//! part fails ─▶ starts again after a pause ─▶ fails too often
//!   └─▶ its service's supervisor fails with it ─▶ all its parts start again ─▶ fails too often
//!         └─▶ the process's supervisor fails with it ─▶ the process ends, not with 0
//! ```
//!
//! Whoever runs the process starts it again; nothing is lost by that. An error and a panic are the same
//! failure, wherever they happen: at the start, in a message, in the supervisor itself.
//!
//! ractor's own `handle_supervisor_evt` stops the supervisor when any child ends: it is never used.

use super::tree::{Node, Tree};
use futures::future::BoxFuture;
use ordermill_domain::backoff::Backoff;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The pauses before a part is started again, doubled with each failure in the window.
const RESTART: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));

/// How often a part may fail until that is its supervisor's own failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// More failures of one part than this within the window are too many.
    pub restarts_max: usize,
    /// The window in which failures count together.
    pub window: Duration,
    /// One that has not started by then has failed, and the supervisor sees to the others.
    pub start_within: Duration,
}

impl Intensity {
    /// Of a service's parts, which wait for no server before they run. So long a window that a part which
    /// fails each time at its start is noticed, however long that and the pauses take: nine times are
    /// 23 s of pauses, and 103 s where it hangs.
    pub const OF_CHILDREN: Self = Self {
        restarts_max: 8,
        window: Duration::from_secs(120),
        start_within: Duration::from_secs(10),
    };

    /// Of services. A service fails when one of its parts has failed nine times, which takes up to its
    /// window: four of those must fit, or the process would go on failing for ever. It starts one part
    /// after the other.
    pub const OF_SERVICES: Self = Self {
        restarts_max: 3,
        window: Duration::from_secs(600),
        start_within: Duration::from_secs(120),
    };
}

/// Starts a part under a supervisor.
type Start =
    Box<dyn Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, SpawnErr>> + Send + Sync>;

/// A part of a service.
pub struct ChildSpec {
    node: Arc<Node>,
    start: Start,
}

impl ChildSpec {
    /// A part that is made anew, by `make`, each time it starts.
    pub fn new<A: Actor<Arguments = ()>>(
        node: Arc<Node>,
        make: impl Fn() -> A + Send + Sync + 'static,
    ) -> Self {
        let start: Start = Box::new(move |supervisor| {
            let actor = make();
            Box::pin(async move {
                let (actor, _) = A::spawn_linked(None, actor, (), supervisor).await?;
                Ok(actor.get_cell())
            })
        });
        Self { node, start }
    }
}

/// A supervisor over its parts.
pub struct Supervisor {
    node: Arc<Node>,
    tree: Tree,
    specs: Arc<Vec<ChildSpec>>,
    intensity: Intensity,
}

impl Supervisor {
    /// A supervisor of a service's `parts`, which it starts in their order.
    pub fn new(node: Arc<Node>, tree: Tree, specs: Arc<Vec<ChildSpec>>) -> Self {
        Self { node, tree, specs, intensity: Intensity::OF_CHILDREN }
    }

    /// The supervisor of a process's services, which it starts in their order. It fails when one of
    /// them fails too often: then the process is to end.
    pub fn of_services(node: Arc<Node>, tree: Tree, services: Arc<Vec<ChildSpec>>) -> Self {
        Self { node, tree, specs: services, intensity: Intensity::OF_SERVICES }
    }
}

/// A message of a supervisor to itself.
pub enum Msg {
    /// Start this part again.
    Start(usize),
}

/// Which part lives where, and when each has failed.
#[derive(Default)]
pub struct Children {
    parts: HashMap<ActorId, usize>,
    failures: HashMap<usize, Vec<Instant>>,
}

impl Actor for Supervisor {
    type Msg = Msg;
    type State = Children;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        (): (),
    ) -> Result<Children, ActorProcessingErr> {
        let mut children = Children::default();
        for index in 0..self.specs.len() {
            self.start(&myself, &mut children, index).await?;
        }
        self.node.running();
        Ok(children)
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        Msg::Start(index): Msg,
        children: &mut Children,
    ) -> Result<(), ActorProcessingErr> {
        self.start(&myself, children, index).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Msg>,
        event: SupervisionEvent,
        children: &mut Children,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, error) = match event {
            SupervisionEvent::ActorFailed(cell, error) => (cell, error.to_string()),
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                (cell, reason.unwrap_or_else(|| "the actor stopped".to_owned()))
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {
                return Ok(());
            }
        };
        match children.parts.remove(&cell.get_id()) {
            Some(index) => self.failed(&myself, children, index, &error),
            None => Ok(()),
        }
    }
}

impl Supervisor {
    async fn start(
        &self,
        myself: &ActorRef<Msg>,
        children: &mut Children,
        index: usize,
    ) -> Result<(), ActorProcessingErr> {
        let spec = &self.specs[index];
        spec.node.starts();
        let starting = (spec.start)(myself.get_cell());
        let error = match tokio::time::timeout(self.intensity.start_within, starting).await {
            Ok(Ok(cell)) => {
                children.parts.insert(cell.get_id(), index);
                self.tree.killed_by(&spec.node.name, move || cell.kill());
                return Ok(());
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the actor did not start within {:?}", self.intensity.start_within),
        };
        self.failed(myself, children, index, &error)
    }

    fn failed(
        &self,
        myself: &ActorRef<Msg>,
        children: &mut Children,
        index: usize,
        error: &str,
    ) -> Result<(), ActorProcessingErr> {
        let spec = &self.specs[index];
        let (actor, end) = (&spec.node.name, spec.node.failed(error));
        let (error, now) = (end.cause, Instant::now());
        let failures = children.failures.entry(index).or_default();
        failures.retain(|at| now.duration_since(*at) < self.intensity.window);
        if !end.counts {
            tracing::warn!(%actor, cause = error, "actor was stopped deliberately; restarting");
            myself.send_after(RESTART.delay(0), move || Msg::Start(index));
            return Ok(());
        }
        failures.push(now);
        if failures.len() > self.intensity.restarts_max {
            tracing::error!(%actor, error, "actor exceeded its restart limit; its supervisor fails");
            return Err(format!("{actor} failed too often: {error}").into());
        }
        let pause = RESTART.delay(u32::try_from(failures.len() - 1).unwrap_or(u32::MAX));
        tracing::error!(%actor, error, ?pause, "actor failed; restarting");
        myself.send_after(pause, move || Msg::Start(index));
        Ok(())
    }
}
