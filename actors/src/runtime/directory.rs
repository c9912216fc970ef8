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
//!
//! One that keeps failing is [quarantined](super::quarantine): it is not started again, and what it is
//! told is refused.

mod entity_supervisor;

pub use entity_supervisor::EntitySupervisor;

use super::quarantine::{FailureWindow, QuarantineList, QuarantinedEntity};
use super::tree::{IntentionalStop, Node, Population, Status};
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use ordermill_domain::clock::World;
use ractor::{ActorCell, ActorId, ActorRef, ActorStatus, Message, SpawnErr};
use std::fmt::Display;
use std::hash::Hash;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// With so many in memory, those who wait leave it sooner: an order under way costs 9 KiB.
const CROWD: usize = 10_000;
/// So soon. Coming back costs one read of one row.
const CROWDED_IDLE_AFTER: Duration = Duration::from_secs(5);

/// A kind of entity that lives in a directory.
pub trait EntityKind: Send + Sync + Sized + 'static {
    /// The key of an entity.
    type Key: Clone + Eq + Hash + Ord + Display + Send + Sync + 'static;
    /// A message to an entity.
    type Msg: Message;
    /// The word before the key in its name, as in `saga/<order_id>`.
    const KIND: &'static str;

    /// Spawns one, linked to its supervisor. Must not load anything yet: a store that is away is no
    /// reason for an actor to fail.
    fn spawn(&self, arguments: SpawnArguments<Self>) -> Result<Spawned<Self::Msg>, SpawnErr>;

    /// The message that asks one to leave memory if it has nothing to do.
    fn retire() -> Self::Msg;

    /// Says to whoever sent a message that nobody will look at it: that counts as a failed attempt.
    fn refuse(message: Self::Msg, cause: String);
}

/// The result of spawning an actor with ractor: it may not have started yet.
pub type Spawned<M> = (ActorRef<M>, JoinHandle<Result<JoinHandle<()>, SpawnErr>>);

/// The arguments of a newly spawned entity.
pub struct SpawnArguments<S: EntityKind> {
    /// Its key.
    pub key: S::Key,
    /// Its node; it must call `handled` after each message.
    pub node: Arc<Node>,
    /// Where it and its like are found.
    pub directory: Directory<S>,
    /// The supervisor that restarts it when it fails.
    pub supervisor: ActorCell,
}

enum Slot<M> {
    Live { actor: ActorRef<M>, node: Arc<Node>, used_s: Arc<AtomicU64>, failures: FailureWindow },
    Down { until: Instant, node: Arc<Node>, failures: FailureWindow },
    Quarantined(QuarantinedEntity),
}

impl<M> Slot<M> {
    fn node(&self) -> &Arc<Node> {
        match self {
            Self::Live { node, .. } | Self::Down { node, .. } => node,
            Self::Quarantined(quarantine) => &quarantine.node,
        }
    }
}

/// The supervisor that starts entities, and the node that they are under.
#[derive(Clone)]
struct Parent {
    supervisor: ActorCell,
    node: Arc<Node>,
}

struct Inner<S: EntityKind> {
    kind: S,
    slots: DashMap<S::Key, Slot<S::Msg>>,
    keys: DashMap<ActorId, S::Key>,
    parent: RwLock<Option<Parent>>,
    quarantine_list: QuarantineList<S::Key>,
    world: World,
    epoch: Instant,
    idle_after: Duration,
}

/// The directory of one kind of entity. Cheap to clone.
pub struct Directory<S: EntityKind>(Arc<Inner<S>>);

impl<S: EntityKind> Clone for Directory<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: EntityKind> Directory<S> {
    /// An empty directory; it is not open before its supervisor runs. Entities that were told nothing
    /// for `idle_after` are asked to leave memory, sooner where there are very many.
    pub fn new(kind: S, world: World, idle_after: Duration) -> Self {
        Self(Arc::new(Inner {
            kind,
            slots: DashMap::new(),
            keys: DashMap::new(),
            parent: RwLock::new(None),
            quarantine_list: QuarantineList::default(),
            world,
            epoch: Instant::now(),
            idle_after,
        }))
    }

    /// The part that all entities of the kind share.
    pub fn kind(&self) -> &S {
        &self.0.kind
    }

    /// How many are in memory.
    pub fn len(&self) -> usize {
        self.0.slots.len()
    }

    /// True when there are so many in memory that no more should be woken without need.
    pub fn is_crowded(&self) -> bool {
        self.len() >= CROWD
    }

    /// True when none is in memory.
    pub fn is_empty(&self) -> bool {
        self.0.slots.is_empty()
    }

    /// Tells an entity something, and brings it to life for it if need be. A message that cannot be
    /// delivered (the entity failed a moment ago, or nobody supervises) is dropped: its ticket says so.
    /// A quarantined entity refuses the message.
    pub fn send(&self, key: &S::Key, message: S::Msg) {
        if let Some(slot) = self.0.slots.get(key)
            && let Slot::Live { actor, node, used_s, .. } = slot.value()
        {
            used_s.store(self.now_s(), Relaxed);
            return tell(actor, node, message);
        }
        let Some(parent) = self.parent() else { return };
        match self.0.slots.entry(key.clone()) {
            Entry::Occupied(mut entry) => match entry.get() {
                Slot::Live { actor, node, .. } => tell(actor, node, message),
                Slot::Down { until, node, failures } if *until <= Instant::now() => {
                    let (node, failures) = (node.clone(), failures.clone());
                    if let Some(live) = self.spawn(key, parent, node, failures) {
                        entry.insert(live);
                        if let Slot::Live { actor, node, .. } = entry.get() {
                            tell(actor, node, message);
                        }
                    }
                }
                Slot::Down { .. } => {}
                Slot::Quarantined(quarantine) => {
                    let refusal = quarantine.refusal();
                    drop(entry);
                    S::refuse(message, refusal);
                }
            },
            Entry::Vacant(entry) => {
                let name = format!("{}/{key}", S::KIND);
                let node = parent.node.entity(S::KIND, name, &*self.0.world.clock);
                if let Some(live) = self.spawn(key, parent, node, FailureWindow::default()) {
                    if let Slot::Live { actor, node, .. } = &live {
                        tell(actor, node, message);
                    }
                    entry.insert(live);
                }
            }
        }
    }

    /// True while what this one is told is refused.
    pub fn is_quarantined(&self, key: &S::Key) -> bool {
        self.0.slots.get(key).is_some_and(|slot| matches!(slot.value(), Slot::Quarantined(_)))
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
    /// waits. True: it has left and must stop itself. What it has failed at of late is remembered.
    pub fn leave(&self, key: &S::Key, actor: ActorId) -> bool {
        let Entry::Occupied(mut entry) = self.0.slots.entry(key.clone()) else { return false };
        let Slot::Live { actor: live, node, failures, .. } = entry.get() else { return false };
        if live.get_id() != actor || node.depth() > 1 {
            return false;
        }
        let (now, node, failures) = (Instant::now(), node.clone(), failures.clone());
        node.retired();
        if failures.are_over(now) {
            entry.remove();
        } else {
            entry.insert(Slot::Down { until: now, node, failures });
        }
        true
    }

    fn now_s(&self) -> u64 {
        self.0.epoch.elapsed().as_secs()
    }

    fn parent(&self) -> Option<Parent> {
        self.0.parent.read().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn spawn(
        &self,
        key: &S::Key,
        parent: Parent,
        node: Arc<Node>,
        failures: FailureWindow,
    ) -> Option<Slot<S::Msg>> {
        let supervisor = parent.supervisor;
        if supervisor.get_status() >= ActorStatus::Stopping {
            // Nobody would start it again, and nobody would find it: its message comes again.
            return None;
        }
        let arguments = SpawnArguments {
            key: key.clone(),
            node: node.clone(),
            directory: self.clone(),
            supervisor: supervisor.clone(),
        };
        match self.0.kind.spawn(arguments) {
            Ok((actor, started)) => {
                self.0.keys.insert(actor.get_id(), key.clone());
                self.watch(actor.get_id(), started, supervisor);
                node.running();
                let used_s = Arc::new(AtomicU64::new(self.now_s()));
                Some(Slot::Live { actor, node, used_s, failures })
            }
            Err(error) => {
                tracing::error!(actor = %node.name, %error, "starting an actor failed");
                None
            }
        }
    }

    /// ractor tells no supervisor of an actor that fails, or is killed, before it runs.
    fn watch(
        &self,
        actor: ActorId,
        started: JoinHandle<Result<JoinHandle<()>, SpawnErr>>,
        supervisor: ActorCell,
    ) {
        let directory = self.clone();
        tokio::spawn(async move {
            if let Ok(Err(error)) = started.await
                // Where that is because its supervisor ends, it is no failure: all of them go.
                && supervisor.get_status() < ActorStatus::Stopping
            {
                directory.ended(actor, Some(error.to_string()));
            }
        });
    }

    fn open(&self, parent: Option<Parent>) {
        // Whoever was quarantined stays so, whoever supervises.
        let mut gone = Vec::new();
        self.0.slots.retain(|key, slot| {
            let stays = matches!(slot, Slot::Quarantined(_));
            if !stays && slot.node().status() != Status::Stopped {
                gone.push((key.clone(), slot.node().clone()));
            }
            stays
        });
        in_order(gone).for_each(|node| node.stopped());
        self.0.keys.clear();
        *self.0.parent.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = parent;
    }

    fn ended(&self, actor: ActorId, error: Option<String>) {
        let Some((_, key)) = self.0.keys.remove(&actor) else { return };
        let Some(error) = error else { return };
        let crowded_out = {
            let Some(mut slot) = self.0.slots.get_mut(&key) else { return };
            let Slot::Live { actor: live, node, failures, .. } = slot.value() else { return };
            if live.get_id() != actor {
                return;
            }
            let (node, mut failures) = (node.clone(), failures.clone());
            let end = node.failed(&error);
            let (error, now) = (end.cause, Instant::now());
            let pause = failures.another(now, end.counts);
            match pause {
                Some(pause) => {
                    if end.counts {
                        tracing::error!(
                            actor = %node.name, %error, ?pause,
                            "actor failed; restarting from the database"
                        );
                    } else {
                        tracing::warn!(
                            actor = %node.name, %error, ?pause,
                            "actor was stopped deliberately; restarting from the database"
                        );
                    }
                    *slot = Slot::Down { until: now + pause, node, failures };
                }
                None => {
                    tracing::error!(
                        actor = %node.name, %error,
                        "actor exceeded its restart limit; quarantined until an operator releases it"
                    );
                    node.quarantined();
                    *slot = Slot::Quarantined(QuarantinedEntity { node, cause: error });
                }
            }
            // Under the entry's lock, so that nobody lets it out before it is in.
            if pause.is_none() { self.0.quarantine_list.admit(key.clone()) } else { None }
        };
        // The entry's lock is given back: it is another entry that has to go.
        if let Some(oldest) = crowded_out {
            tracing::error!(
                actor = %format!("{}/{oldest}", S::KIND),
                "too many quarantined actors; releasing the oldest"
            );
            self.let_out(&oldest);
        }
    }

    /// Forgets a quarantined one: its next message starts it afresh.
    fn let_out(&self, key: &S::Key) -> bool {
        let out = self.0.slots.remove_if(key, |_, slot| matches!(slot, Slot::Quarantined(_)));
        if let Some((_, slot)) = &out {
            self.0.quarantine_list.discharge(key);
            slot.node().released();
        }
        out.is_some()
    }

    fn key_of(&self, name: &str) -> Option<S::Key> {
        let slot = self.0.slots.iter().find(|slot| slot.value().node().name == name)?;
        Some(slot.key().clone())
    }

    fn retire_idle(&self) {
        let now = self.now_s();
        let crowded = if self.is_crowded() { CROWDED_IDLE_AFTER } else { Duration::MAX };
        let patience_s = self.0.idle_after.min(crowded).as_secs();
        let mut idle = Vec::new();
        for slot in &self.0.slots {
            if let Slot::Live { actor, node, used_s, .. } = slot.value()
                && now.saturating_sub(used_s.load(Relaxed)) >= patience_s
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
        self.let_rest(Instant::now());
    }

    /// Those that could start again and whom nobody needs are out of memory; they are forgotten once what they
    /// failed at is long ago.
    fn let_rest(&self, now: Instant) {
        let mut resting = Vec::new();
        self.0.slots.retain(|key, slot| {
            let Slot::Down { until, node, failures } = slot else { return true };
            if *until > now {
                return true;
            }
            if node.status() != Status::Stopped {
                resting.push((key.clone(), node.clone()));
            }
            !failures.are_over(now)
        });
        in_order(resting).for_each(|node| node.retired());
    }
}

/// Nodes by their keys: the map has no order of its own, and what is told of them has one.
fn in_order<K: Ord>(mut nodes: Vec<(K, Arc<Node>)>) -> impl Iterator<Item = Arc<Node>> {
    nodes.sort_by(|a, b| a.0.cmp(&b.0));
    nodes.into_iter().map(|(_, node)| node)
}

fn tell<M: Message>(actor: &ActorRef<M>, node: &Arc<Node>, message: M) {
    node.queued();
    if actor.cast(message).is_err() {
        node.unqueued();
    }
}

impl<S: EntityKind> Population for Directory<S> {
    fn count(&self) -> usize {
        self.len()
    }

    fn visit(&self, query: &mut dyn FnMut(&Arc<Node>)) {
        for slot in &self.0.slots {
            query(slot.value().node());
        }
    }

    fn find(&self, name: &str) -> Option<Arc<Node>> {
        let slot = self.0.slots.get(&self.key_of(name)?)?;
        Some(slot.value().node().clone())
    }

    fn restart(&self, name: &str) -> bool {
        let Some(key) = self.key_of(name) else { return false };
        let Some(slot) = self.0.slots.get(&key) else { return false };
        match slot.value() {
            Slot::Live { actor, node, .. } => {
                node.will_end(IntentionalStop::Operator);
                actor.kill();
                true
            }
            // Its next message starts it anyway.
            Slot::Down { .. } => true,
            Slot::Quarantined(_) => false,
        }
    }

    fn release(&self, name: &str) -> bool {
        self.key_of(name).is_some_and(|key| self.let_out(&key))
    }
}
