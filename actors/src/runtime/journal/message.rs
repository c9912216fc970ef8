//! The messages to a journal, and the outcome of a change.

use ordermill_domain::service::{
    DeadLetter, Discard, OutboxMaintenance, Parking, Redrive, Service,
};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use tokio::time::Instant;
use uuid::Uuid;

/// The outcome of a change.
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

/// Called with what became of a change.
pub type CommitCallback<S> = Box<dyn FnOnce(CommitOutcome<<S as Service>::Answer>) + Send>;

/// A change on its way, and whoever waits for it.
pub struct Submission<S: Service> {
    pub(super) change: S::Change,
    pub(super) epoch: Option<Arc<MemoryEpoch>>,
    pub(super) done: CommitCallback<S>,
    pub(super) since: Instant,
}

/// Called when what was asked is committed.
pub type StoredCallback = Box<dyn FnOnce() + Send>;

/// A message to the journal.
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
    /// The name of the message in views of actors.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Submit(_) => "submit",
            Self::Forget(_) => "forget",
            Self::Park(_) => "park",
            Self::StoreDeadLetter(_) => "store_dead_letter",
            Self::Redrive(_) => "redrive",
            Self::Discard(..) => "discard",
            Self::Finished(..) => "finished",
            Self::Flush => "flush",
            Self::Gathered => "gathered",
        }
    }
}
