//! The supervisor: starts a service's parts, and starts them again when they fail.
//!
//! A part that fails is started again after a pause that doubles. One that fails too often takes its
//! supervisor with it, which its own supervisor starts again, with all its parts; at the top the
//! process ends, for whoever runs it to start it again.
//!
//! ractor's own `handle_supervisor_evt` stops the supervisor when any child ends: it is never used.

use super::tree::{Node, Tree};
use futures::future::BoxFuture;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The pause before a part is started again, doubled with each failure in the window.
const RESTART_MIN: Duration = Duration::from_millis(100);
/// The longest such pause.
const RESTART_MAX: Duration = Duration::from_secs(10);
/// More failures of one part than this within the window are its supervisor's own.
const RESTARTS_MAX: usize = 8;
/// The window in which failures count together: so long that a part which fails at once each time is
/// noticed, however long its pauses have become.
const RESTART_WINDOW: Duration = Duration::from_secs(120);

/// Starts a part under a supervisor.
type Start =
    Box<dyn Fn(ActorCell) -> BoxFuture<'static, Result<ActorCell, ractor::SpawnErr>> + Send + Sync>;

/// A part of a service.
pub struct Part {
    node: Arc<Node>,
    start: Start,
}

impl Part {
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
    parts: Arc<Vec<Part>>,
}

impl Supervisor {
    /// A supervisor that starts `parts` in their order.
    pub fn new(node: Arc<Node>, tree: Tree, parts: Arc<Vec<Part>>) -> Self {
        Self { node, tree, parts }
    }
}

/// What a supervisor tells itself.
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
        for index in 0..self.parts.len() {
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
                (cell, reason.unwrap_or_else(|| "it stopped".to_owned()))
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
        let part = &self.parts[index];
        match (part.start)(myself.get_cell()).await {
            Ok(cell) => {
                children.parts.insert(cell.get_id(), index);
                self.tree.killed_by(&part.node.name, move || cell.kill());
                Ok(())
            }
            Err(error) => self.failed(myself, children, index, &error.to_string()),
        }
    }

    fn failed(
        &self,
        myself: &ActorRef<Msg>,
        children: &mut Children,
        index: usize,
        error: &str,
    ) -> Result<(), ActorProcessingErr> {
        let part = &self.parts[index];
        part.node.failed(error);
        let failures = children.failures.entry(index).or_default();
        failures.retain(|at| at.elapsed() < RESTART_WINDOW);
        failures.push(Instant::now());
        if failures.len() > RESTARTS_MAX {
            tracing::error!(actor = %part.node.name, error, "failed too often; its supervisor fails with it");
            return Err(format!("{} failed too often: {error}", part.node.name).into());
        }
        let doublings = u32::try_from(failures.len() - 1).unwrap_or(u32::MAX);
        let pause = (RESTART_MIN * 2_u32.saturating_pow(doublings)).min(RESTART_MAX);
        tracing::error!(actor = %part.node.name, error, ?pause, "a part failed; it starts again");
        myself.send_after(pause, move || Msg::Start(index));
        Ok(())
    }
}
