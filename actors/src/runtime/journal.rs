//! The journal: commits a service's changes in groups.
//!
//! ```text
//! submit ─┐                       ┌─▶ verdicts, to whoever asked
//! submit ─┼─▶ gathering ─▶ commit ┤
//! submit ─┘   (while the last     └─▶ outbox rows, to the relay
//!              commit runs, and
//!              a little longer)
//! ```
//!
//! While one transaction commits, the next batch gathers, and then a moment longer (`gathering.rs`): the
//! busier it is the larger the groups. Nothing leaves the journal before its transaction has committed: no
//! reply, no ack, no message. A lost database is no failure of anybody's: the batch is tried again until it
//! answers.

mod commit;
mod gathering;
mod gauge;

use super::address::Address;
use super::outbox::OutboxRow;
use super::service::{DeadLetter, Discard, Parking, Redrive, Service, Upkeep};
use super::tree::Node;
use crate::clock::World;
use crate::ports::Store;
use commit::{Asker, FinishGuard};
use gathering::Gathering;
pub use gauge::Gauge;
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
pub enum Verdict<A> {
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
pub struct Lane(AtomicBool);

impl Lane {
    /// True when what this incarnation remembers is no longer true.
    pub fn is_stale(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Nothing decided from this memory may be written any more.
    pub fn spoil(&self) {
        self.0.store(true, Relaxed);
    }
}

type Done<S> = Box<dyn FnOnce(Verdict<<S as Service>::Answer>) + Send>;

/// A change on its way, and whoever waits for it.
pub struct Submission<S: Service> {
    change: S::Change,
    lane: Option<Arc<Lane>>,
    done: Done<S>,
    since: Instant,
}

/// Called when what was asked is committed.
pub type Stored = Box<dyn FnOnce() + Send>;

/// What the journal is told.
pub enum Msg<S: Service> {
    /// Write this.
    Submit(Box<Submission<S>>),
    /// Forget these outbox rows.
    Forget(Vec<Uuid>),
    /// Park this outbox row.
    Park(Box<Parking>),
    /// Keep this dead letter.
    Bury(Box<(DeadLetter, Stored)>),
    /// Have this dead letter go back to its queue.
    Redrive(Box<(Redrive, Stored)>),
    /// Discard this dead letter.
    Discard(Discard, Stored),
    /// The transaction under way has ended; what of its upkeep must be written again, and who waits
    /// for it.
    Finished(Upkeep, Vec<Stored>),
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
            Self::Bury(_) => "bury",
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
    gauge: Arc<Gauge>,
}

impl<S: Service> Clone for JournalHandle<S> {
    fn clone(&self) -> Self {
        Self { address: self.address.clone(), gauge: self.gauge.clone() }
    }
}

impl<S: Service> JournalHandle<S> {
    /// A journal that is not started yet.
    pub fn new(node: Arc<Node>) -> Self {
        let service = node.name.split('/').next().unwrap_or_default().to_owned();
        let gauge = Gauge::new(service);
        Self { address: Address::new(node), gauge: Arc::new(gauge) }
    }

    /// Has a change written. `done` is called once it is committed or refused; it is dropped uncalled
    /// when nobody knows (the journal failed, or its commit's outcome is unknown): decide again then.
    pub fn submit(
        &self,
        change: S::Change,
        done: impl FnOnce(Verdict<S::Answer>) + Send + 'static,
    ) {
        self.send(change, None, Box::new(done));
    }

    /// The same for a change that was decided from an entity's memory.
    pub fn submit_on(
        &self,
        lane: &Arc<Lane>,
        change: S::Change,
        done: impl FnOnce(Verdict<S::Answer>) + Send + 'static,
    ) {
        self.send(change, Some(lane.clone()), Box::new(done));
    }

    fn send(&self, change: S::Change, lane: Option<Arc<Lane>>, done: Done<S>) {
        let submission = Submission::<S> { change, lane, done, since: Instant::now() };
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
    pub fn bury(&self, letter: DeadLetter, stored: Stored) {
        self.gauge.buries();
        let letter = letter.storable();
        self.address.send(Msg::Bury(Box::new((letter, stored))));
    }

    /// Has a dead letter go back to its queue; `stored` is called when that is certain.
    pub fn redrive(&self, redrive: Redrive, stored: Stored) {
        self.address.send(Msg::Redrive(Box::new((redrive, stored))));
    }

    /// Has a dead letter discarded; `stored` is called when that is certain.
    pub fn discard(&self, discard: Discard, stored: Stored) {
        self.address.send(Msg::Discard(discard, stored));
    }

    /// How it is doing.
    pub fn gauge(&self) -> &Arc<Gauge> {
        &self.gauge
    }

    /// Its entry in the tree.
    pub fn node(&self) -> &Arc<Node> {
        self.address.node()
    }
}

/// Where committed outbox rows go.
pub trait Published: Send + Sync + 'static {
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
    pub relay: Arc<dyn Published>,
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
    type State = Gathering<S>;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Msg<S>>,
        (): (),
    ) -> Result<Gathering<S>, ActorProcessingErr> {
        // What an earlier life had under way is its askers' to hand in again.
        self.0.handle.gauge.oldest(None);
        self.0.handle.gauge.busy(false);
        self.0.handle.address.fill(myself);
        self.0.handle.node().running();
        // An earlier life may have died with rows that were to be parked or forgotten.
        self.0.relay.rescan();
        Ok(Gathering::default())
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg<S>>,
        message: Msg<S>,
        state: &mut Gathering<S>,
    ) -> Result<(), ActorProcessingErr> {
        self.0.handle.node().begins(message.name());
        match message {
            Msg::Submit(submission) => {
                state.waiting.push_back(*submission);
            }
            Msg::Forget(rows) => state.upkeep.forget.extend(rows),
            Msg::Park(parking) => state.upkeep.park.push(*parking),
            Msg::Bury(letter) => {
                let (letter, stored) = *letter;
                state.upkeep.dead_letters.push(letter);
                state.stored.push(stored);
            }
            Msg::Redrive(redrive) => {
                let (redrive, stored) = *redrive;
                state.upkeep.redrive.push(redrive);
                state.stored.push(stored);
            }
            Msg::Discard(discard, stored) => {
                state.upkeep.discard.push(discard);
                state.stored.push(stored);
            }
            Msg::Finished(unfinished, stored) => {
                state.committing = false;
                state.stored.extend(stored);
                state.upkeep.forget.extend(unfinished.forget);
                state.upkeep.park.extend(unfinished.park);
                state.upkeep.dead_letters.extend(unfinished.dead_letters);
                state.upkeep.redrive.extend(unfinished.redrive);
                state.upkeep.discard.extend(unfinished.discard);
            }
            Msg::Gathered => state.rest_planned = false,
            Msg::Flush => {
                state.flush_planned = false;
                if !state.committing && !state.upkeep.is_empty() {
                    self.begin(&myself, state);
                }
            }
        }
        self.proceed(&myself, state);
        let idle = !state.committing && state.waiting.is_empty() && state.upkeep.is_empty();
        self.0.handle.gauge.busy(!idle);
        self.0.handle.node().handled();
        Ok(())
    }
}

impl<S: Service> Journal<S> {
    /// Begins the next transaction when there is something to write and none is under way.
    fn proceed(&self, myself: &ActorRef<Msg<S>>, state: &mut Gathering<S>) {
        if state.committing {
            return;
        }
        if state.is_urgent() {
            self.gather(myself, state);
            return;
        }
        self.0.handle.gauge.oldest(None);
        if !state.upkeep.forget.is_empty() && !state.flush_planned {
            state.flush_planned = true;
            self.0.handle.node().queued();
            myself.send_after(FORGET_WAIT, || Msg::Flush);
        }
    }

    /// Begins the next transaction, now or when enough has gathered.
    fn gather(&self, myself: &ActorRef<Msg<S>>, state: &mut Gathering<S>) {
        let rest = state.rest(Instant::now());
        if rest.is_zero() {
            self.begin(myself, state);
        } else if !state.rest_planned {
            state.rest_planned = true;
            self.0.handle.node().queued();
            myself.send_after(rest, || Msg::Gathered);
        }
    }

    fn begin(&self, myself: &ActorRef<Msg<S>>, state: &mut Gathering<S>) {
        let count = state.waiting.len().min(CHANGES_MAX);
        let mut changes = Vec::with_capacity(count);
        let mut askers = Vec::with_capacity(count);
        self.0.handle.gauge.oldest(state.waiting.front().map(|first| first.since));
        for submission in state.waiting.drain(..count) {
            let Submission { change, lane, done, since: _ } = submission;
            changes.push(change);
            askers.push(Asker { lane, done });
        }
        let upkeep = std::mem::take(&mut state.upkeep);
        let stored = std::mem::take(&mut state.stored);
        state.begins(Instant::now(), changes.len());
        let (parts, myself) = (self.0.clone(), myself.clone());
        // An owned task: whoever asked may vanish, the transaction is run to its end.
        tokio::spawn(async move {
            let node = parts.handle.node().clone();
            let guard = FinishGuard { myself, node, unfinished: Some(Default::default()) };
            commit::commit(parts, changes, askers, upkeep, stored, guard).await;
        });
    }
}
