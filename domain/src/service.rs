//! Services: how changes are decided against the rows of a service's own database.
//!
//! ```text
//! changes ──keys──▶ store: read and lock these rows ──decide_batch──▶ writes, outcomes, messages
//! ```
//!
//! [`Service::decide_batch`] is pure. A change that was decided before, in memory (a saga's), is checked
//! there against the row that it was decided on; a change that needs no memory (a shipment's, a
//! reservation's) is decided there. Stores only read rows and write rows.

use crate::clock::{Timestamp, World, storable};
use crate::ids::ServiceName;
use crate::messages::{Message, Queue};
use crate::outbox::OutboxRow;
use crate::planted::{Bug, planted};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A service, as its journal and its store see it.
pub trait Service: Send + Sync + Sized + 'static {
    /// Which service.
    const NAME: ServiceName;
    /// How long after a transaction began the next one waits for company, at the most: a few milliseconds where
    /// orders wait for what is written, more where hardly anybody does.
    const GATHER: Duration = Duration::from_millis(5);
    /// A change to be written.
    type Change: Send + Sync + 'static;
    /// Which rows the changes concern.
    type Keys: Send + Sync + 'static;
    /// Those rows, as the database has them.
    type Rows: Send + 'static;
    /// The rows to write, each at most once however many changes touch it.
    type Writes: Send + Sync + 'static;
    /// The answer to a change, sent when it is committed.
    type Answer: Send + 'static;

    /// The rows that must be read, and locked in the order of their keys.
    fn keys(changes: &[Self::Change]) -> Self::Keys;

    /// Decides every change in turn on the rows as they are.
    fn decide_batch(
        &self,
        rows: Self::Rows,
        changes: &[Self::Change],
        at: Timestamp,
    ) -> BatchDecision<Self::Answer, Self::Writes>;
}

/// [`Service::GATHER`] of a service that is fed: no order waits for its records, and its transactions take their
/// time from those that orders wait for. Who marks a notification as read waits as long.
pub const FEED_GATHER: Duration = Duration::from_millis(50);

/// The outcome of one change.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome<A> {
    /// It is written.
    Done(A),
    /// Its row is no longer what it was decided on: nothing of it is written.
    Refused,
}

/// The result of a batch.
pub struct BatchDecision<A, W> {
    /// The rows to write.
    pub writes: W,
    /// One outcome for each change, in their order.
    pub outcomes: Vec<Outcome<A>>,
    /// The messages that the written changes send.
    pub messages: Vec<Arc<Message>>,
}

/// A message that no consumer could handle, as it is kept for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its key here.
    pub id: Uuid,
    /// The queue it could not be handled in.
    pub queue: Queue,
    /// The order, where it could be read.
    pub order_id: Option<Uuid>,
    /// The message's name, where it could be read.
    pub event_type: Option<String>,
    /// Why.
    pub cause: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The message as it was received.
    pub body: String,
    /// When its consumer failed on it for the first time.
    pub first_failed_at: Timestamp,
    /// When it was given up.
    pub died_at: Timestamp,
}

impl DeadLetter {
    /// The same as any database takes it: text columns know no NUL, and neither do people.
    pub fn storable(mut self) -> Self {
        for text in [&mut self.cause, &mut self.body] {
            if text.contains('\0') {
                *text = text.replace('\0', "\u{FFFD}");
            }
        }
        self
    }
}

/// A dead letter that goes back to its queue.
#[derive(Clone, Debug)]
pub struct Redrive {
    /// Which one: it is deleted. If it is gone already, nothing is done.
    pub letter: Uuid,
    /// The outbox row that brings it there; due at once.
    pub row: OutboxRow,
}

/// A dead letter that nobody will handle any more, by a person's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discard {
    /// Which one: it leaves the dead letters. If it is gone already, nothing is done.
    pub letter: Uuid,
    /// Why, in that person's words.
    pub reason: String,
}

/// The dead letters of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadLetterCount {
    /// The queue.
    pub queue: Queue,
    /// How many.
    pub letters: u64,
    /// When the oldest was given up.
    pub oldest: Timestamp,
}

/// A dead letter that was discarded, as it is kept for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscardedLetter {
    /// The dead letter.
    pub letter: DeadLetter,
    /// Why.
    pub reason: String,
    /// When.
    pub discarded_at: Timestamp,
}

/// A row to park: what is left of it, and until when it waits.
#[derive(Clone, Debug)]
pub struct Parking {
    /// The row as it is now.
    pub row: OutboxRow,
    /// When it is tried again.
    pub until: Timestamp,
}

/// Writes that the runtime asks for, beside the service's changes.
#[derive(Debug, Default)]
pub struct OutboxMaintenance {
    /// Outbox rows whose every message is confirmed.
    pub forget: Vec<Uuid>,
    /// Outbox rows that cannot get on.
    pub park: Vec<Parking>,
    /// Messages given up.
    pub dead_letters: Vec<DeadLetter>,
    /// Messages taken up again.
    pub redrive: Vec<Redrive>,
    /// Messages given up for good.
    pub discard: Vec<Discard>,
}

impl OutboxMaintenance {
    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        let Self { forget, park, dead_letters, redrive, discard } = self;
        forget.is_empty()
            && park.is_empty()
            && dead_letters.is_empty()
            && redrive.is_empty()
            && discard.is_empty()
    }
}

/// The writes of one transaction.
pub struct Batch<S: Service> {
    /// The service.
    pub service: Arc<S>,
    /// The changes, in the order in which they were handed in.
    pub changes: Vec<S::Change>,
    /// The runtime's own.
    pub maintenance: OutboxMaintenance,
    /// When the batch is decided.
    pub at: Timestamp,
    /// Where new rows get their keys.
    pub world: World,
}

/// A batch, decided: what the store is to write and then to answer.
pub struct DecidedBatch<S: Service> {
    /// The service's rows.
    pub writes: S::Writes,
    /// The outbox rows.
    pub outbox: Vec<OutboxRow>,
    /// One outcome a change.
    pub outcomes: Vec<Outcome<S::Answer>>,
}

impl<S: Service> Batch<S> {
    /// The rows to read and lock.
    pub fn keys(&self) -> S::Keys {
        S::keys(&self.changes)
    }

    /// Decides the batch on the rows that were read.
    pub fn decide(&self, rows: S::Rows) -> DecidedBatch<S> {
        let decided = self.service.decide_batch(rows, &self.changes, storable(self.at));
        debug_assert_eq!(decided.outcomes.len(), self.changes.len());
        let outbox = decided
            .messages
            .chunks(OutboxRow::MESSAGES_MAX)
            .map(|messages| OutboxRow::fresh(self.world.new_id(), messages.to_vec()))
            .collect();
        DecidedBatch { writes: decided.writes, outbox, outcomes: decided.outcomes }
    }
}

/// Checks changes that were decided in memory against the versions that the rows have.
///
/// A refused change takes along every later one of its key: those were decided on top of it, even
/// where a number happens to fit.
pub struct Versions<K> {
    current: HashMap<K, u64>,
    refused: HashSet<K>,
}

impl<K: Eq + Hash + Clone> Versions<K> {
    /// Starts from the versions in the database; a key that is not there is at 0.
    pub fn new(current: HashMap<K, u64>) -> Self {
        Self { current, refused: HashSet::new() }
    }

    /// True when a change decided on `expected` may be written; its row is then at `next`.
    pub fn advance(&mut self, key: &K, expected: u64, next: u64) -> bool {
        if self.refused.contains(key) {
            return false;
        }
        let current = self.current.get(key).copied().unwrap_or(0);
        if current != expected && !planted(Bug::IgnoreVersion) {
            self.refused.insert(key.clone());
            return false;
        }
        self.current.insert(key.clone(), next);
        true
    }
}
