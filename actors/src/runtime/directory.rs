//! The directory: finds an entity's actor by its key, or brings it to life.
//!
//! ```text
//! send(key) ─▶ live? ── yes ─▶ its mailbox
//!                └───── no ──▶ spawn under the supervisor, then its mailbox
//! ```
//!
//! Our own map, not ractor's registry: that one is global to the process, so that two worlds in one
//! test would meet. An entity leaves when it is idle and its mailbox is empty; both are decided under
//! the entry's lock, so that no message is ever sent to one that is leaving.

use super::tree::{Node, Population};
use crate::clock::World;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use ractor::{
    Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, ActorStatus, Message, SpawnErr,
    SupervisionEvent,
};
use std::fmt::Display;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// The pause before an entity that failed is started again, doubled each time it fails in a row.
const RESTART_MIN: Duration = Duration::from_millis(100);
/// The longest such pause.
const RESTART_MAX: Duration = Duration::from_secs(30);
/// Idle entities are looked for this often.
const RETIRE_EVERY: Duration = Duration::from_secs(5);

/// A kind of entity that lives in a directory.
pub trait Species: Send + Sync + Sized + 'static {
    /// What it is found by.
    type Key: Clone + Eq + Hash + Ord + Display + Send + Sync + 'static;
    /// What it is told.
    type Msg: Message;
    /// The word before the key in its name, as in `saga/<order_id>`.
    const KIND: &'static str;

    /// Spawns one, linked to its supervisor. Must not load anything yet: a store that is away is no
    /// reason for an actor to fail.
    fn spawn(&self, life: Life<Self>) -> Result<ActorRef<Self::Msg>, SpawnErr>;

    /// The message that asks one to leave memory if it has nothing to do.
    fn retire() -> Self::Msg;
}

/// What a newly spawned entity is given.
pub struct Life<S: Species> {
    /// Its key.
    pub key: S::Key,
    /// Its node; it must call `handled` after each message.
    pub node: Arc<Node>,
    /// Where it and its like are found.
    pub directory: Directory<S>,
    /// Who starts it again when it fails.
    pub supervisor: ActorCell,
}

enum Slot<M> {
    Live { actor: ActorRef<M>, node: Arc<Node>, used_s: Arc<AtomicU64>, failures: u32 },
    Down { until: Instant, node: Arc<Node>, failures: u32 },
}

struct Inner<S: Species> {
    species: S,
    slots: DashMap<S::Key, Slot<S::Msg>>,
    keys: DashMap<ActorId, S::Key>,
    supervisor: RwLock<Option<ActorCell>>,
    world: World,
    epoch: Instant,
    idle_after: Duration,
}

/// The directory of one kind of entity. Cheap to clone.
pub struct Directory<S: Species>(Arc<Inner<S>>);

impl<S: Species> Clone for Directory<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Species> Directory<S> {
    /// An empty directory; it is not open before its supervisor runs. Entities that were told nothing
    /// for `idle_after` are asked to leave memory.
    pub fn new(species: S, world: World, idle_after: Duration) -> Self {
        Self(Arc::new(Inner {
            species,
            slots: DashMap::new(),
            keys: DashMap::new(),
            supervisor: RwLock::new(None),
            world,
            epoch: Instant::now(),
            idle_after,
        }))
    }

    /// What all of the kind share.
    pub fn species(&self) -> &S {
        &self.0.species
    }

    /// How many are in memory.
    pub fn len(&self) -> usize {
        self.0.slots.len()
    }

    /// True when none is in memory.
    pub fn is_empty(&self) -> bool {
        self.0.slots.is_empty()
    }

    /// Tells an entity something, and brings it to life for it if need be. A message that cannot be
    /// delivered (the entity failed a moment ago, or nobody supervises) is dropped: its ticket says so.
    pub fn send(&self, key: &S::Key, message: S::Msg) {
        if let Some(slot) = self.0.slots.get(key)
            && let Slot::Live { actor, node, used_s, .. } = slot.value()
        {
            used_s.store(self.now_s(), Relaxed);
            return tell(actor, node, message);
        }
        match self.0.slots.entry(key.clone()) {
            Entry::Occupied(mut entry) => match entry.get() {
                Slot::Live { actor, node, .. } => tell(actor, node, message),
                Slot::Down { until, node, failures } if *until <= Instant::now() => {
                    let (node, failures) = (node.clone(), *failures);
                    if let Some(live) = self.spawn(key, node, failures) {
                        entry.insert(live);
                        if let Slot::Live { actor, node, .. } = entry.get() {
                            tell(actor, node, message);
                        }
                    }
                }
                Slot::Down { .. } => {}
            },
            Entry::Vacant(entry) => {
                let name = format!("{}/{key}", S::KIND);
                let node = Node::new(S::KIND, name, &*self.0.world.clock);
                if let Some(live) = self.spawn(key, node, 0) {
                    if let Slot::Live { actor, node, .. } = &live {
                        tell(actor, node, message);
                    }
                    entry.insert(live);
                }
            }
        }
    }

    /// Tells an entity something if it is in memory: what it would load afresh otherwise.
    pub fn send_if_live(&self, key: &S::Key, message: S::Msg) {
        if let Some(slot) = self.0.slots.get(key)
            && let Slot::Live { actor, node, .. } = slot.value()
        {
            tell(actor, node, message);
        }
    }

    /// Called by an entity while it handles a message: leaves the directory unless another message
    /// waits. True: it has left and must stop itself.
    pub fn leave(&self, key: &S::Key, actor: ActorId) -> bool {
        let left = self.0.slots.remove_if(key, |_, slot| match slot {
            Slot::Live { actor: live, node, .. } => live.get_id() == actor && node.depth() <= 1,
            Slot::Down { .. } => false,
        });
        left.is_some()
    }

    fn now_s(&self) -> u64 {
        self.0.epoch.elapsed().as_secs()
    }

    fn spawn(&self, key: &S::Key, node: Arc<Node>, failures: u32) -> Option<Slot<S::Msg>> {
        let supervisor =
            self.0.supervisor.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()?;
        if supervisor.get_status() >= ActorStatus::Stopping {
            // Nobody would start it again, and nobody would find it: its message comes again.
            return None;
        }
        let life =
            Life { key: key.clone(), node: node.clone(), directory: self.clone(), supervisor };
        match self.0.species.spawn(life) {
            Ok(actor) => {
                self.0.keys.insert(actor.get_id(), key.clone());
                node.running();
                let used_s = Arc::new(AtomicU64::new(self.now_s()));
                Some(Slot::Live { actor, node, used_s, failures })
            }
            Err(error) => {
                tracing::error!(actor = %node.name, %error, "an actor cannot be started");
                None
            }
        }
    }

    fn open(&self, supervisor: Option<ActorCell>) {
        self.0.slots.clear();
        self.0.keys.clear();
        *self.0.supervisor.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = supervisor;
    }

    fn ended(&self, actor: ActorId, error: Option<String>) {
        let Some((_, key)) = self.0.keys.remove(&actor) else { return };
        let Some(error) = error else { return };
        let Some(mut slot) = self.0.slots.get_mut(&key) else { return };
        let Slot::Live { actor: live, node, failures, .. } = slot.value() else { return };
        if live.get_id() != actor {
            return;
        }
        let (node, failures) = (node.clone(), failures + 1);
        let pause = (RESTART_MIN * 2_u32.saturating_pow(failures.min(16) - 1)).min(RESTART_MAX);
        tracing::error!(actor = %node.name, %error, ?pause, "an actor failed; it starts again from the store");
        node.failed(&error);
        *slot = Slot::Down { until: Instant::now() + pause, node, failures };
    }

    fn retire_idle(&self) {
        let now = self.now_s();
        let mut idle = Vec::new();
        for slot in &self.0.slots {
            if let Slot::Live { actor, node, used_s, .. } = slot.value()
                && now.saturating_sub(used_s.load(Relaxed)) >= self.0.idle_after.as_secs()
                && node.depth() == 0
            {
                used_s.store(now, Relaxed);
                idle.push((slot.key().clone(), actor.clone(), node.clone()));
            }
        }
        // The map has no order of its own; what is done to the world has one.
        idle.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, actor, node) in idle {
            tell(&actor, &node, S::retire());
        }
        let forgotten = Instant::now();
        self.0.slots.retain(|_, slot| match slot {
            Slot::Live { .. } => true,
            // Nobody has asked for it since: the next message starts it afresh.
            Slot::Down { until, .. } => forgotten.duration_since(*until) < RESTART_MAX,
        });
    }
}

fn tell<M: Message>(actor: &ActorRef<M>, node: &Arc<Node>, message: M) {
    node.queued();
    if actor.cast(message).is_err() {
        node.unqueued();
    }
}

impl<S: Species> Population for Directory<S> {
    fn count(&self) -> usize {
        self.len()
    }

    fn page(&self, after: Option<&str>, limit: usize) -> Vec<Arc<Node>> {
        let mut nodes: Vec<Arc<Node>> = Vec::new();
        for slot in &self.0.slots {
            let (Slot::Live { node, .. } | Slot::Down { node, .. }) = slot.value();
            if after.is_none_or(|after| node.name.as_str() > after) {
                nodes.push(node.clone());
            }
        }
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        nodes.truncate(limit);
        nodes
    }

    fn restart(&self, name: &str) -> bool {
        let Some(key) = name.strip_prefix(S::KIND).and_then(|rest| rest.strip_prefix('/')) else {
            return false;
        };
        for slot in &self.0.slots {
            if let Slot::Live { actor, .. } = slot.value()
                && slot.key().to_string() == key
            {
                actor.kill();
                return true;
            }
        }
        false
    }
}

/// Supervises the entities of a directory.
pub struct Keeper<S: Species> {
    directory: Directory<S>,
    node: Arc<Node>,
}

impl<S: Species> Keeper<S> {
    /// A supervisor for a directory.
    pub fn new(directory: Directory<S>, node: Arc<Node>) -> Self {
        Self { directory, node }
    }
}

impl<S: Species> Actor for Keeper<S> {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        self.directory.open(Some(myself.get_cell()));
        self.node.running();
        myself.send_interval(RETIRE_EVERY, || ());
        Ok(())
    }

    async fn handle(
        &self,
        _myself: ActorRef<()>,
        (): (),
        _state: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        self.directory.retire_idle();
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<()>,
        event: SupervisionEvent,
        _state: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => {
                self.directory.ended(cell.get_id(), Some(error.to_string()));
            }
            SupervisionEvent::ActorTerminated(cell, _, reason) => {
                self.directory.ended(cell.get_id(), reason);
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<()>, _: &mut ()) -> Result<(), ActorProcessingErr> {
        self.directory.open(None);
        Ok(())
    }
}
