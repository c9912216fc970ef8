//! A store in memory that fails as databases do.

use super::Shared;
use super::fault::Fault;
use super::process_gate::ProcessGate;
use async_trait::async_trait;
use ordermill_actors::ports::{
    CommitError, Committed, DeadLetterFilter, DeadLetters, Outbox, ReadError, Store,
};
use ordermill_actors::testing::{MemoryStore, MemoryTables};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::service::{Batch, DeadLetter, DeadLetterCount, DiscardedLetter, Service};
use std::time::Duration;
use uuid::Uuid;

/// The longest that a database takes for a step.
const SLOW: Duration = Duration::from_millis(200);
/// The longest that a step takes of a database that is stalled (a checkpoint, a full disk's queue).
const STALLED: Duration = Duration::from_secs(30);

/// One process's view of a service's database.
pub struct SimStore<T> {
    pub memory: MemoryStore<T>,
    pub gate: ProcessGate,
    pub sim: Shared,
}

impl<T> SimStore<T> {
    pub(super) async fn takes_a_while(&self) {
        let longest = if self.sim.fails(Fault::Stalled) { STALLED } else { SLOW };
        tokio::time::sleep(self.sim.chance.pause(longest)).await;
        self.gate.runs_on().await;
    }
}

#[async_trait]
impl<S: Service, T: MemoryTables<S>> Store<S> for SimStore<T> {
    async fn commit(&self, batch: &Batch<S>) -> Result<Committed<S>, CommitError> {
        self.sim.may_die(&self.gate);
        self.takes_a_while().await;
        let told = |what: &str| format!("the simulation says {what}");
        if self.sim.fails(Fault::Unavailable) {
            return Err(CommitError::Unavailable(told("away")));
        }
        if self.sim.fails(Fault::Contended) {
            return Err(CommitError::Contended(told("contended")));
        }
        if self.sim.fails(Fault::UnknownLost) {
            return Err(CommitError::Unknown(told("lost")));
        }
        let unknown = self.sim.fails(Fault::UnknownWritten);
        let committed = self.memory.commit(batch).await?;
        let (process, changes) = (self.gate.number, batch.changes.len());
        self.sim.trace.say(format_args!("{process} {} commits {changes}", S::NAME));
        self.sim.may_die(&self.gate);
        // The answer is on its way: a process that dies now does not know.
        self.takes_a_while().await;
        if unknown { Err(CommitError::Unknown(told("unknown"))) } else { Ok(committed) }
    }
}

#[async_trait]
impl<T: Send + 'static> Outbox for SimStore<T> {
    async fn waiting(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        self.reading().await?;
        let rows = self.memory.waiting(after, limit).await;
        self.takes_a_while().await;
        rows
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        // Asked twice a second by every relay: where nothing is due, nothing can come of it being slow.
        self.gate.runs_on().await;
        if self.memory.due(now, 1).await?.is_empty() {
            return Ok(Vec::new());
        }
        self.reading().await?;
        self.memory.due(now, limit).await
    }

    async fn parked(&self) -> Result<u64, ReadError> {
        self.memory.parked().await
    }

    async fn adopt(&self, limit: u32) -> Result<u64, ReadError> {
        self.reading().await?;
        let adopted = self.memory.adopt(limit).await?;
        if adopted > 0 {
            self.sim.trace.say(format_args!("{} adopts {adopted}", self.gate.number));
        }
        Ok(adopted)
    }
}

#[async_trait]
impl<T: Send + 'static> DeadLetters for SimStore<T> {
    async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, ReadError> {
        DeadLetters::dead_letters(&self.memory, filter, limit).await
    }

    async fn dead_letter(&self, id: Uuid) -> Result<Option<DeadLetter>, ReadError> {
        self.memory.dead_letter(id).await
    }

    async fn dead_letter_counts(&self) -> Result<Vec<DeadLetterCount>, ReadError> {
        self.memory.dead_letter_counts().await
    }

    async fn forget_dead_letters(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        self.memory.forget_dead_letters(before, limit).await
    }

    async fn discarded_letters(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DiscardedLetter>, ReadError> {
        self.memory.discarded_letters(filter, limit).await
    }

    async fn forget_discarded(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        self.memory.forget_discarded(before, limit).await
    }
}
