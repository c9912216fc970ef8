//! One transaction of the journal, from its changes to everybody's answers. Runs in a task of its own:
//! whoever asked may vanish, the transaction is run to its end.

use super::handle::JournalParts;
use super::message::{CommitCallback, CommitOutcome, MemoryEpoch, Msg, StoredCallback};
use crate::faults::{self, Point};
use crate::metrics::CommitTry;
use crate::ports::{CommitError, Committed};
use crate::runtime::linked_task::catch_panic;
use crate::runtime::tree::Node;
use crate::traces;
use ordermill_domain::backoff::Backoff;
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::planted::{Bug, planted};
use ordermill_domain::service::{Batch, OutboxMaintenance, Outcome, Service};
use ractor::ActorRef;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The pauses between two tries on a database that does not answer. One that is back is noticed within the longest.
const RETRY: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));

/// Whoever waits for a change of the batch.
pub struct ChangeWaiter<S: Service> {
    /// The memory that it was decided on.
    pub epoch: Option<Arc<MemoryEpoch>>,
    /// Called with the outcome.
    pub done: CommitCallback<S>,
}

/// Lets the journal go on when the transaction has ended, however it ended.
pub struct FinishGuard<S: Service> {
    /// The journal.
    pub myself: ActorRef<Msg<S>>,
    /// Its entry in the tree.
    pub node: Arc<Node>,
    /// The maintenance that must be written again.
    pub unfinished: Option<(OutboxMaintenance, Vec<StoredCallback>)>,
}

impl<S: Service> Drop for FinishGuard<S> {
    fn drop(&mut self) {
        if let Some((unfinished, stored)) = self.unfinished.take() {
            self.node.queued();
            if self.myself.cast(Msg::Finished(unfinished, stored)).is_err() {
                // A journal that is gone has nothing to go on with.
                self.node.unqueued();
            }
        }
    }
}

/// Runs a batch to its end, tells everybody who waits for it, and has its messages said.
pub async fn commit<S: Service>(
    parts: Arc<JournalParts<S>>,
    changes: Vec<S::Change>,
    waiters: Vec<ChangeWaiter<S>>,
    maintenance: OutboxMaintenance,
    stored: Vec<StoredCallback>,
    mut guard: FinishGuard<S>,
) {
    let mut batch = Batch {
        service: parts.service.clone(),
        changes,
        maintenance,
        at: parts.world.now(),
        world: parts.world.clone(),
    };
    let mut ended = BatchEnd {
        answered: Vec::new(),
        outbox: Vec::new(),
        unknown: false,
        maintenance_failed: false,
    };
    write(&parts, &mut batch, waiters, &mut ended).await;
    let mut stored = stored;
    if ended.unknown {
        guard.unfinished =
            Some((std::mem::take(&mut batch.maintenance), std::mem::take(&mut stored)));
        if !planted(Bug::NoRescan) {
            parts.relay.rescan();
        }
    } else if ended.maintenance_failed {
        // Nobody is told that it is stored: messages stay with the broker, rows are looked at again.
        stored.clear();
        parts.relay.rescan();
    }
    // Before the next transaction may begin, so that rows are offered in their order.
    if !ended.outbox.is_empty() {
        parts.relay.offer(ended.outbox);
    }
    faults::passes(Point::Offered);
    // The next transaction may begin while the answers to this one go out.
    drop(guard);
    for (done, outcome) in ended.answered {
        done(outcome);
    }
    stored.into_iter().for_each(|stored| stored());
}

/// How often in a row another process may be first, before the database counts as unable: each time
/// one of the others has got on.
const CONTENDED_MAX: u32 = 20;

struct BatchEnd<S: Service> {
    answered: Vec<(CommitCallback<S>, CommitOutcome<S::Answer>)>,
    outbox: Vec<OutboxRow>,
    unknown: bool,
    maintenance_failed: bool,
}

/// Writes a batch: again while the database is away; in halves when a change is at fault.
async fn write<S: Service>(
    parts: &Arc<JournalParts<S>>,
    batch: &mut Batch<S>,
    mut waiters: Vec<ChangeWaiter<S>>,
    ended: &mut BatchEnd<S>,
) {
    refuse_stale(batch, &mut waiters, ended);
    if batch.changes.is_empty() && batch.maintenance.is_empty() {
        return;
    }
    match attempt(parts, batch).await {
        Ok(committed) => {
            faults::passes(Point::Committed);
            let (rows, changes) = (&committed.outbox, batch.changes.len());
            traces::committed(&parts.tracer, S::NAME, rows, changes, batch.at, &parts.world);
            ended.outbox.extend(committed.outbox);
            for (waiter, outcome) in waiters.into_iter().zip(committed.outcomes) {
                let outcome = match outcome {
                    Outcome::Done(answer) => CommitOutcome::Done(answer),
                    Outcome::Refused => {
                        parts.handle.metrics.refused();
                        if let Some(epoch) = waiter.epoch {
                            epoch.invalidate();
                        }
                        CommitOutcome::Refused
                    }
                };
                ended.answered.push((waiter.done, outcome));
            }
        }
        Err(BatchFault::Unknown) => {
            // Dropping the askers tells them that nobody knows.
            ended.unknown = true;
            waiters
                .iter()
                .filter_map(|waiter| waiter.epoch.as_ref())
                .for_each(|epoch| epoch.invalidate());
        }
        Err(BatchFault::Data(cause)) if can_be_split(batch) => {
            parts.handle.metrics.split();
            tracing::warn!(service = %S::NAME, %cause, "splitting a batch to isolate the invalid change");
            let mut half = Batch {
                service: batch.service.clone(),
                changes: batch.changes.split_off(batch.changes.len() / 2),
                maintenance: OutboxMaintenance::default(),
                at: batch.at,
                world: batch.world.clone(),
            };
            let later = waiters.split_off(batch.changes.len());
            Box::pin(write(parts, batch, waiters, ended)).await;
            Box::pin(write(parts, &mut half, later, ended)).await;
        }
        Err(BatchFault::Data(cause)) if batch.changes.is_empty() => {
            tracing::error!(service = %S::NAME, %cause, "writing dead letters or outbox rows failed permanently");
            ended.maintenance_failed = true;
        }
        Err(BatchFault::Data(cause)) => {
            tracing::error!(service = %S::NAME, %cause, "the database rejects a change permanently");
            for waiter in waiters {
                // Decisions made on top of it cannot be written either.
                if let Some(epoch) = waiter.epoch {
                    epoch.invalidate();
                }
                ended.answered.push((waiter.done, CommitOutcome::Failed(cause.clone())));
            }
        }
    }
}

/// Takes out what was decided on memory that is no longer true: since the batch was gathered, or since the
/// other half of it was refused.
fn refuse_stale<S: Service>(
    batch: &mut Batch<S>,
    waiters: &mut Vec<ChangeWaiter<S>>,
    ended: &mut BatchEnd<S>,
) {
    let is_stale =
        |waiter: &ChangeWaiter<S>| waiter.epoch.as_ref().is_some_and(|epoch| epoch.is_stale());
    if !waiters.iter().any(is_stale) {
        return;
    }
    let changes = std::mem::take(&mut batch.changes);
    for (change, waiter) in changes.into_iter().zip(std::mem::take(waiters)) {
        if is_stale(&waiter) {
            ended.answered.push((waiter.done, CommitOutcome::Refused));
        } else {
            batch.changes.push(change);
            waiters.push(waiter);
        }
    }
}

/// The maintenance of the runtime is tried apart from the changes: it is not lost because of a faulty one.
fn can_be_split<S: Service>(batch: &Batch<S>) -> bool {
    batch.changes.len() + usize::from(!batch.maintenance.is_empty()) > 1
}

/// How a try ended, for the metrics.
fn tried<S: Service>(result: &Result<Committed<S>, CommitError>) -> CommitTry {
    match result {
        Ok(_) => CommitTry::Committed,
        Err(CommitError::Contended(_)) => CommitTry::Contended,
        Err(CommitError::Unavailable(_)) => CommitTry::Unavailable,
        Err(CommitError::Unknown(_)) => CommitTry::Unknown,
        Err(CommitError::Data(_)) => CommitTry::Data,
    }
}

enum BatchFault {
    Unknown,
    Data(String),
}

/// Commits a batch, again and again while the database is away.
async fn attempt<S: Service>(
    parts: &JournalParts<S>,
    batch: &Batch<S>,
) -> Result<Committed<S>, BatchFault> {
    let (mut unavailable, mut contended) = (0, 0);
    faults::passes(Point::Gathered);
    loop {
        // Whoever made it panic is found as the one is whose data cannot be written.
        let panicked = |panic| Err(CommitError::Data(format!("the store panicked: {panic}")));
        let begun = Instant::now();
        let result = catch_panic(parts.store.commit(batch)).await.unwrap_or_else(panicked);
        let health = &parts.handle.health;
        parts.handle.metrics.tried(tried(&result), begun.elapsed());
        match result {
            Ok(committed) => {
                health.report_available();
                return Ok(committed);
            }
            Err(CommitError::Contended(cause)) if contended < CONTENDED_MAX => {
                contended += 1;
                tracing::debug!(service = %S::NAME, %cause, contended, "retrying a batch after a conflict");
            }
            Err(CommitError::Contended(cause) | CommitError::Unavailable(cause)) => {
                if health.report_unavailable(&cause) {
                    tracing::warn!(service = %S::NAME, %cause, "the database is unavailable; waiting");
                }
                tokio::time::sleep(RETRY.delay(unavailable)).await;
                unavailable += 1;
            }
            Err(CommitError::Unknown(cause)) if planted(Bug::UnknownIsFailed) => {
                return Err(BatchFault::Data(cause));
            }
            Err(CommitError::Unknown(cause)) => {
                tracing::warn!(service = %S::NAME, %cause, "the outcome of a commit is unknown");
                return Err(BatchFault::Unknown);
            }
            Err(CommitError::Data(cause)) => {
                health.report_available();
                return Err(BatchFault::Data(cause));
            }
        }
    }
}
