//! The handle of a journal, and the parts that a journal is made of.

use super::health::JournalHealth;
use super::message::{CommitCallback, CommitOutcome, MemoryEpoch, Msg, StoredCallback, Submission};
use crate::metrics::{JournalFamilies, JournalMetrics};
use crate::ports::Store;
use crate::runtime::address::Address;
use crate::runtime::tree::Node;
use crate::traces::Tracer;
use ordermill_domain::clock::World;
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::service::{DeadLetter, Discard, Parking, Redrive, Service};
use std::sync::Arc;
use tokio::time::Instant;
use uuid::Uuid;

/// The handle of a service's journal. Cheap to clone.
pub struct JournalHandle<S: Service> {
    pub(super) address: Address<Msg<S>>,
    pub(super) health: Arc<JournalHealth>,
    pub(super) metrics: JournalMetrics,
}

impl<S: Service> Clone for JournalHandle<S> {
    fn clone(&self) -> Self {
        let Self { address, health, metrics } = self;
        let (address, health) = (address.clone(), health.clone());
        Self { address, health, metrics: metrics.clone() }
    }
}

impl<S: Service> JournalHandle<S> {
    /// A journal that is not started yet, and whose metrics nobody sees.
    pub fn new(node: Arc<Node>) -> Self {
        Self::measured(node, JournalFamilies::default().of(S::NAME.as_str()))
    }

    /// The same with these metrics.
    pub fn measured(node: Arc<Node>, metrics: JournalMetrics) -> Self {
        let service = node.name.split('/').next().unwrap_or_default().to_owned();
        let health = JournalHealth::new(service);
        Self { address: Address::new(node), health: Arc::new(health), metrics }
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
        self.metrics.dead_letter(letter.queue);
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

/// The parts of a journal.
pub struct JournalParts<S: Service> {
    /// The service's rules.
    pub service: Arc<S>,
    /// Its database.
    pub store: Arc<dyn Store<S>>,
    /// Its relay.
    pub relay: Arc<dyn OutboxListener>,
    /// Time and ids.
    pub world: World,
    /// Where its commits are recorded.
    pub tracer: Tracer,
    /// Where it is reached.
    pub handle: JournalHandle<S>,
}
