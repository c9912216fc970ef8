//! The journal: commits a service's changes in groups.
//!
//! ```text
//! submit ─┐                       ┌─▶ outcomes, to whoever asked
//! submit ─┼─▶ gathering ─▶ commit ┤
//! submit ─┘   (while the last     └─▶ outbox rows, to the relay
//!              commit runs, and
//!              a little longer)
//! ```
//!
//! While one transaction commits, the next batch gathers, and then a moment longer (`pending_batch.rs`): the
//! busier it is the larger the groups. Nothing leaves the journal before its transaction has committed: no
//! reply, no ack, no message. A lost database is no failure of anybody's: the batch is tried again until it
//! answers.

mod commit;
mod health;
mod pending_batch;

use super::address::Address;
use super::outbox::OutboxRow;
use super::service::{DeadLetter, Discard, OutboxMaintenance, Parking, Redrive, Service};
use super::tree::Node;
use crate::clock::World;
use crate::ports::Store;
use commit::{ChangeWaiter, FinishGuard};
pub use health::JournalHealth;
use pending_batch::PendingBatch;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Changes in one transaction at the most: enough that the disk's flush is shared by many, few
/// enough that the first does not wait long for the last.
pub const CHANGES_MAX: usize = 1_000;

/// Confirmed outbox rows wait this long for a batch to be forgotten with, before they get their own.
const FORGET_WAIT: Duration = Duration::from_millis(500);

/// Pauses between two tries on a database that does not answer.
const RETRY_MIN: Duration = Duration::from_millis(50);
/// The longest such pause: a database that is back is noticed within this time.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// What became of a change.
#[derive(Debug)]
pub enum CommitOutcome<A> {
    /// It is committed.
    Done(A),
    /// Its row was no longer what it was decided on: reload and decide again.
    Refused,
    /// It can never be written.
    Failed(String),
}

/// One incarnation of an entity's memory. Once one of its changes is refused, all later ones are:
/// they were decided on top of it.
#[derive(Debug, Default)]
pub struct MemoryEpoch(AtomicBool);

impl MemoryEpoch {
    /// True when what this incarnation remembers is no longer true.
    pub fn is_stale(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Nothing decided from this memory may be written any more.
    pub fn invalidate(&self) {
        self.0.store(true, Relaxed);
    }
}

type CommitCallback<S> = Box<dyn FnOnce(CommitOutcome<<S as Service>::Answer>) + Send>;

/// A change on its way, and whoever waits for it.
pub struct Submission<S: Service> {
    change: S::Change,
    epoch: Option<Arc<MemoryEpoch>>,
    done: CommitCallback<S>,
    since: Instant,
}

/// Called when what was asked is committed.
pub type StoredCallback = Box<dyn FnOnce() + Send>;

/// What the journal is told.
pub enum Msg<S: Service> {
    /// Write this.
    Submit(Box<Submission<S>>),
    /// Forget these outbox rows.
    Forget(Vec<Uuid>),
    /// Park this outbox row.
    Park(Box<Parking>),
    /// Keep this dead letter.
    StoreDeadLetter(Box<(DeadLetter, StoredCallback)>),
    /// Have this dead letter go back to its queue.
    Redrive(Box<(Redrive, StoredCallback)>),
    /// Discard this dead letter.
    Discard(Discard, StoredCallback),
    /// The transaction under way has ended; what of its maintenance must be written again, and who waits
    /// for it.
    Finished(OutboxMaintenance, Vec<StoredCallback>),
    /// Rows have waited long enough to be forgotten.
    Flush,
    /// Changes have waited long enough for company.
    Gathered,
}

impl<S: Service> Msg<S> {
    /// What it is called where people look at an actor.
    fn name(&self) -> &'static str {
        match self {
            Self::Submit(_) => "submit",
            Self::Forget(_) => "forget",
            Self::Park(_) => "park",
            Self::StoreDeadLetter(_) => "bury",
            Self::Redrive(_) => "redrive",
            Self::Discard(..) => "discard",
            Self::Finished(..) => "finished",
            Self::Flush => "flush",
            Self::Gathered => "gathered",
        }
    }
}

/// A service's journal, as everybody else sees it. Cheap to clone.
pub struct JournalHandle<S: Service> {
    address: Address<Msg<S>>,
    health: Arc<JournalHealth>,
}

impl<S: Service> Clone for JournalHandle<S> {
    fn clone(&self) -> Self {
        Self { address: self.address.clone(), health: self.health.clone() }
    }
}

impl<S: Service> JournalHandle<S> {
    /// A journal that is not started yet.
    pub fn new(node: Arc<Node>) -> Self {
        let service = node.name.split('/').next().unwrap_or_default().to_owned();
        let health = JournalHealth::new(service);
        Self { address: Address::new(node), health: Arc::new(health) }
    }

    /// Has a change written. `done` is called once it is committed or refused; it is dropped uncalled
    /// when nobody knows (the journal failed, or its commit's outcome is unknown): decide again then.
    pub fn submit(
        &self,
        change: S::Change,
        done: impl FnOnce(CommitOutcome<S::Answer>) + Send + 'static,
    ) {
        self.send(change, None, Box::new(done));
    }

    /// The same for a change that was decided from an entity's memory.
    pub fn submit_in_epoch(
        &self,
        epoch: &Arc<MemoryEpoch>,
        change: S::Change,
        done: impl FnOnce(CommitOutcome<S::Answer>) + Send + 'static,
    ) {
        self.send(change, Some(epoch.clone()), Box::new(done));
    }

    fn send(&self, change: S::Change, epoch: Option<Arc<MemoryEpoch>>, done: CommitCallback<S>) {
        let submission = Submission::<S> { change, epoch, done, since: Instant::now() };
        self.address.send(Msg::Submit(Box::new(submission)));
    }

    /// Has outbox rows forgotten, soon.
    pub fn forget(&self, rows: Vec<Uuid>) {
        self.address.send(Msg::Forget(rows));
    }

    /// Has an outbox row parked.
    pub fn park(&self, parking: Parking) {
        self.address.send(Msg::Park(Box::new(parking)));
    }

    /// Has a dead letter kept; `stored` is called when it is.
    pub fn store_dead_letter(&self, letter: DeadLetter, stored: StoredCallback) {
        self.health.count_dead_letter();
        let letter = letter.storable();
        self.address.send(Msg::StoreDeadLetter(Box::new((letter, stored))));
    }

    /// Has a dead letter go back to its queue; `stored` is called when that is certain.
    pub fn redrive(&self, redrive: Redrive, stored: StoredCallback) {
        self.address.send(Msg::Redrive(Box::new((redrive, stored))));
    }

    /// Has a dead letter discarded; `stored` is called when that is certain.
    pub fn discard(&self, discard: Discard, stored: StoredCallback) {
        self.address.send(Msg::Discard(discard, stored));
    }

    /// How it is doing.
    pub fn health(&self) -> &Arc<JournalHealth> {
        &self.health
    }

    /// Its entry in the tree.
    pub fn node(&self) -> &Arc<Node> {
        self.address.node()
    }
}

/// Where committed outbox rows go.
pub trait OutboxListener: Send + Sync + 'static {
    /// These rows are committed: say them.
    fn offer(&self, rows: Vec<OutboxRow>);
    /// Rows may have been committed that nobody was told of: look into the database.
    fn rescan(&self);
}

/// What a journal is made of.
pub struct JournalParts<S: Service> {
    /// The service's rules.
    pub service: Arc<S>,
    /// Its database.
    pub store: Arc<dyn Store<S>>,
    /// Its relay.
    pub relay: Arc<dyn OutboxListener>,
    /// Time and ids.
    pub world: World,
    /// Where it is reached.
    pub handle: JournalHandle<S>,
}

/// The actor.
pub struct Journal<S: Service>(Arc<JournalParts<S>>);

impl<S: Service> Journal<S> {
    /// A journal over its parts.
    pub fn new(parts: Arc<JournalParts<S>>) -> Self {
        Self(parts)
    }
}

impl<S: Service> Actor for Journal<S> {
    type Msg = Msg<S>;
    type State = PendingBatch<S>;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Msg<S>>,
        (): (),
    ) -> Result<PendingBatch<S>, ActorProcessingErr> {
        // What an earlier life had under way is its askers' to hand in again.
        self.0.handle.health.oldest(None);
        self.0.handle.health.busy(false);
        self.0.handle.address.fill(myself);
        self.0.handle.node().running();
        // An earlier life may have died with rows that were to be parked or forgotten.
        self.0.relay.rescan();
        Ok(PendingBatch::default())
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg<S>>,
        message: Msg<S>,
        state: &mut PendingBatch<S>,
    ) -> Result<(), ActorProcessingErr> {
        self.0.handle.node().begins(message.name());
        match message {
            Msg::Submit(submission) => {
                state.waiting.push_back(*submission);
            }
            Msg::Forget(rows) => state.maintenance.forget.extend(rows),
            Msg::Park(parking) => state.maintenance.park.push(*parking),
            Msg::StoreDeadLetter(letter) => {
                let (letter, stored) = *letter;
                state.maintenance.dead_letters.push(letter);
                state.stored.push(stored);
            }
            Msg::Redrive(redrive) => {
                let (redrive, stored) = *redrive;
                state.maintenance.redrive.push(redrive);
                state.stored.push(stored);
            }
            Msg::Discard(discard, stored) => {
                state.maintenance.discard.push(discard);
                state.stored.push(stored);
            }
            Msg::Finished(unfinished, stored) => {
                state.committing = false;
                state.stored.extend(stored);
                state.maintenance.forget.extend(unfinished.forget);
                state.maintenance.park.extend(unfinished.park);
                state.maintenance.dead_letters.extend(unfinished.dead_letters);
                state.maintenance.redrive.extend(unfinished.redrive);
                state.maintenance.discard.extend(unfinished.discard);
            }
            Msg::Gathered => state.rest_planned = false,
            Msg::Flush => {
                state.flush_planned = false;
                if !state.committing && !state.maintenance.is_empty() {
                    self.begin(&myself, state);
                }
            }
        }
        self.proceed(&myself, state);
        let idle = !state.committing && state.waiting.is_empty() && state.maintenance.is_empty();
        self.0.handle.health.busy(!idle);
        self.0.handle.node().handled();
        Ok(())
    }
}

impl<S: Service> Journal<S> {
    /// Begins the next transaction when there is something to write and none is under way.
    fn proceed(&self, myself: &ActorRef<Msg<S>>, state: &mut PendingBatch<S>) {
        if state.committing {
            return;
        }
        if state.is_urgent() {
            self.gather(myself, state);
            return;
        }
        self.0.handle.health.oldest(None);
        if !state.maintenance.forget.is_empty() && !state.flush_planned {
            state.flush_planned = true;
            self.0.handle.node().queued();
            myself.send_after(FORGET_WAIT, || Msg::Flush);
        }
    }

    /// Begins the next transaction, now or when enough has gathered.
    fn gather(&self, myself: &ActorRef<Msg<S>>, state: &mut PendingBatch<S>) {
        let rest = state.rest(Instant::now());
        if rest.is_zero() {
            self.begin(myself, state);
        } else if !state.rest_planned {
            state.rest_planned = true;
            self.0.handle.node().queued();
            myself.send_after(rest, || Msg::Gathered);
        }
    }

    fn begin(&self, myself: &ActorRef<Msg<S>>, state: &mut PendingBatch<S>) {
        let count = state.waiting.len().min(CHANGES_MAX);
        let mut changes = Vec::with_capacity(count);
        let mut waiters = Vec::with_capacity(count);
        self.0.handle.health.oldest(state.waiting.front().map(|first| first.since));
        for submission in state.waiting.drain(..count) {
            let Submission { change, epoch, done, since: _ } = submission;
            changes.push(change);
            waiters.push(ChangeWaiter { epoch, done });
        }
        let maintenance = std::mem::take(&mut state.maintenance);
        let stored = std::mem::take(&mut state.stored);
        state.begins(Instant::now(), changes.len());
        let (parts, myself) = (self.0.clone(), myself.clone());
        // An owned task: whoever asked may vanish, the transaction is run to its end.
        tokio::spawn(async move {
            let node = parts.handle.node().clone();
            let guard = FinishGuard { myself, node, unfinished: Some(Default::default()) };
            commit::commit(parts, changes, waiters, maintenance, stored, guard).await;
        });
    }
}
