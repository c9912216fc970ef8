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
mod handle;
mod health;
mod message;
mod pending_batch;

pub use handle::{JournalHandle, JournalParts, OutboxListener};
pub use health::JournalHealth;
pub use message::{CommitOutcome, MemoryEpoch, Msg, StoredCallback, Submission};

use commit::{ChangeWaiter, FinishGuard};
use ordermill_domain::service::Service;
use pending_batch::PendingBatch;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Changes in one transaction at the most: enough that the disk's flush is shared by many, few
/// enough that the first does not wait long for the last.
pub const CHANGES_MAX: usize = 1_000;

/// Confirmed outbox rows wait this long for a batch to be forgotten with, before they get their own.
const FORGET_WAIT: Duration = Duration::from_millis(500);

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
        // The senders hand in again the changes that an earlier life had under way.
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
        self.0.handle.health.pending(state.waiting.len());
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
        let now = Instant::now();
        let waits = state.waiting.iter().take(count).map(|waiting| now - waiting.since);
        self.0.handle.metrics.begins(waits);
        self.0.handle.health.oldest(state.waiting.front().map(|first| first.since));
        for submission in state.waiting.drain(..count) {
            let Submission { change, epoch, done, since: _ } = submission;
            changes.push(change);
            waiters.push(ChangeWaiter { epoch, done });
        }
        let maintenance = std::mem::take(&mut state.maintenance);
        let stored = std::mem::take(&mut state.stored);
        state.begins(now, changes.len());
        let (parts, myself) = (self.0.clone(), myself.clone());
        // An owned task: whoever asked may vanish, the transaction is run to its end.
        tokio::spawn(async move {
            let node = parts.handle.node().clone();
            let guard = FinishGuard { myself, node, unfinished: Some(Default::default()) };
            commit::commit(parts, changes, waiters, maintenance, stored, guard).await;
        });
    }
}
