//! One transaction of the journal, from its changes to everybody's answers. Runs in a task of its own:
//! whoever asked may vanish, the transaction is run to its end.

use super::{Done, JournalParts, Lane, Msg, RETRY_MAX, RETRY_MIN, Stored, Verdict};
use crate::faults::{self, Point};
use crate::planted::{Bug, planted};
use crate::ports::{CommitError, Committed};
use crate::runtime::beside::caught;
use crate::runtime::outbox::OutboxRow;
use crate::runtime::service::{Batch, Outcome, Service, Upkeep};
use crate::runtime::tree::Node;
use ractor::ActorRef;
use std::sync::Arc;

/// Whoever waits for a change of the batch.
pub struct Asker<S: Service> {
    /// The memory that it was decided on.
    pub lane: Option<Arc<Lane>>,
    /// What it is told.
    pub done: Done<S>,
}

/// Lets the journal go on when the transaction has ended, however it ended.
pub struct FinishGuard<S: Service> {
    /// The journal.
    pub myself: ActorRef<Msg<S>>,
    /// Its entry in the tree.
    pub node: Arc<Node>,
    /// What must be written again.
    pub unfinished: Option<(Upkeep, Vec<Stored>)>,
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
    askers: Vec<Asker<S>>,
    upkeep: Upkeep,
    stored: Vec<Stored>,
    mut guard: FinishGuard<S>,
) {
    let mut batch = Batch {
        service: parts.service.clone(),
        changes,
        upkeep,
        at: parts.world.now(),
        world: parts.world.clone(),
    };
    let mut ended =
        Ended { answered: Vec::new(), outbox: Vec::new(), unknown: false, upkeep_failed: false };
    write(&parts, &mut batch, askers, &mut ended).await;
    let mut stored = stored;
    if ended.unknown {
        guard.unfinished = Some((std::mem::take(&mut batch.upkeep), std::mem::take(&mut stored)));
        if !planted(Bug::NoRescan) {
            parts.relay.rescan();
        }
    } else if ended.upkeep_failed {
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
    for (done, verdict) in ended.answered {
        done(verdict);
    }
    stored.into_iter().for_each(|stored| stored());
}

/// How often in a row another process may be first, before the database counts as unable: each time
/// one of the others has got on.
const CONTENDED_MAX: u32 = 20;

struct Ended<S: Service> {
    answered: Vec<(Done<S>, Verdict<S::Answer>)>,
    outbox: Vec<OutboxRow>,
    unknown: bool,
    upkeep_failed: bool,
}

/// Writes a batch: again while the database is away; in halves when a change is at fault.
async fn write<S: Service>(
    parts: &Arc<JournalParts<S>>,
    batch: &mut Batch<S>,
    mut askers: Vec<Asker<S>>,
    ended: &mut Ended<S>,
) {
    refuse_stale(batch, &mut askers, ended);
    if batch.changes.is_empty() && batch.upkeep.is_empty() {
        return;
    }
    match attempt(parts, batch).await {
        Ok(committed) => {
            faults::passes(Point::Committed);
            ended.outbox.extend(committed.outbox);
            for (asker, outcome) in askers.into_iter().zip(committed.outcomes) {
                let verdict = match outcome {
                    Outcome::Done(answer) => Verdict::Done(answer),
                    Outcome::Refused => {
                        if let Some(lane) = asker.lane {
                            lane.spoil();
                        }
                        Verdict::Refused
                    }
                };
                ended.answered.push((asker.done, verdict));
            }
        }
        Err(Fault::Unknown) => {
            // Dropping the askers tells them that nobody knows.
            ended.unknown = true;
            askers.iter().filter_map(|asker| asker.lane.as_ref()).for_each(|lane| lane.spoil());
        }
        Err(Fault::Data(cause)) if can_be_split(batch) => {
            tracing::warn!(service = %S::NAME, %cause, "a batch is split to find the change at fault");
            let mut half = Batch {
                service: batch.service.clone(),
                changes: batch.changes.split_off(batch.changes.len() / 2),
                upkeep: Upkeep::default(),
                at: batch.at,
                world: batch.world.clone(),
            };
            let later = askers.split_off(batch.changes.len());
            Box::pin(write(parts, batch, askers, ended)).await;
            Box::pin(write(parts, &mut half, later, ended)).await;
        }
        Err(Fault::Data(cause)) if batch.changes.is_empty() => {
            tracing::error!(service = %S::NAME, %cause, "dead letters or outbox rows cannot be written");
            ended.upkeep_failed = true;
        }
        Err(Fault::Data(cause)) => {
            tracing::error!(service = %S::NAME, %cause, "a change can never be written");
            for asker in askers {
                // What was decided on top of it cannot be written either.
                if let Some(lane) = asker.lane {
                    lane.spoil();
                }
                ended.answered.push((asker.done, Verdict::Failed(cause.clone())));
            }
        }
    }
}

/// Takes out what was decided on memory that is no longer true: since the batch was gathered, or since the
/// other half of it was refused.
fn refuse_stale<S: Service>(
    batch: &mut Batch<S>,
    askers: &mut Vec<Asker<S>>,
    ended: &mut Ended<S>,
) {
    let is_stale = |asker: &Asker<S>| asker.lane.as_ref().is_some_and(|lane| lane.is_stale());
    if !askers.iter().any(is_stale) {
        return;
    }
    let changes = std::mem::take(&mut batch.changes);
    for (change, asker) in changes.into_iter().zip(std::mem::take(askers)) {
        if is_stale(&asker) {
            ended.answered.push((asker.done, Verdict::Refused));
        } else {
            batch.changes.push(change);
            askers.push(asker);
        }
    }
}

/// What the stations keep is no change's fault: it is tried apart from them, and never lost with them.
fn can_be_split<S: Service>(batch: &Batch<S>) -> bool {
    batch.changes.len() + usize::from(!batch.upkeep.is_empty()) > 1
}

enum Fault {
    Unknown,
    Data(String),
}

/// Commits a batch, again and again while the database is away.
async fn attempt<S: Service>(
    parts: &JournalParts<S>,
    batch: &Batch<S>,
) -> Result<Committed<S>, Fault> {
    let mut pause = RETRY_MIN;
    let mut contended = 0;
    faults::passes(Point::Gathered);
    loop {
        // Whoever made it panic is found as the one is whose data cannot be written.
        let panicked = |panic| Err(CommitError::Data(format!("writing it panicked: {panic}")));
        let result = caught(parts.store.commit(batch)).await.unwrap_or_else(panicked);
        let gauge = &parts.handle.gauge;
        match result {
            Ok(committed) => {
                gauge.answers_again();
                return Ok(committed);
            }
            Err(CommitError::Contended(cause)) if contended < CONTENDED_MAX => {
                contended += 1;
                tracing::debug!(service = %S::NAME, %cause, contended, "a batch is decided again");
            }
            Err(CommitError::Contended(cause) | CommitError::Unavailable(cause)) => {
                if gauge.refuses(&cause) {
                    tracing::warn!(service = %S::NAME, %cause, "the database is away; waiting");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY_MAX);
            }
            Err(CommitError::Unknown(cause)) if planted(Bug::UnknownIsFailed) => {
                return Err(Fault::Data(cause));
            }
            Err(CommitError::Unknown(cause)) => {
                tracing::warn!(service = %S::NAME, %cause, "a commit's outcome is unknown");
                return Err(Fault::Unknown);
            }
            Err(CommitError::Data(cause)) => {
                gauge.answers_again();
                return Err(Fault::Data(cause));
            }
        }
    }
}
