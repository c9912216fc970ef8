//! A store in memory: the tables of one service, its outbox and its dead letters, behind one lock.

use crate::clock::Timestamp;
use crate::ports::{
    CommitError, Committed, DeadLetterFilter, DeadLetters, Outbox, ReadError, Store,
};
use crate::runtime::outbox::OutboxRow;
use crate::runtime::service::{Batch, DeadLetter, Service};
use async_trait::async_trait;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use uuid::Uuid;

/// A service's tables in memory.
pub trait MemoryTables<S: Service>: Default + Send + 'static {
    /// The rows of these keys.
    fn load(&self, keys: &S::Keys) -> S::Rows;
    /// Writes what was settled.
    fn write(&mut self, writes: &S::Writes, at: Timestamp);
}

/// What is to go wrong with a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitFault {
    /// Nothing is written; try again.
    Unavailable,
    /// Nothing is written, and nobody knows.
    UnknownLost,
    /// It is written, and nobody knows.
    UnknownWritten,
    /// Nothing is written: the data is at fault.
    Data,
}

#[derive(Default)]
struct Inner<T> {
    tables: T,
    outbox: BTreeMap<Uuid, (OutboxRow, Option<Timestamp>)>,
    dead_letters: Vec<DeadLetter>,
    faults: VecDeque<CommitFault>,
    commits: u64,
}

/// A service's database in memory. Cheap to clone.
pub struct MemoryStore<T>(Arc<Mutex<Inner<T>>>);

impl<T> Clone for MemoryStore<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Default> Default for MemoryStore<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> MemoryStore<T> {
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Looks into the tables, as a read would.
    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock().tables)
    }

    /// Writes to the tables outside of the journal, as one of the service's own statements would.
    pub fn with_mut<R>(&self, write: impl FnOnce(&mut T) -> R) -> R {
        write(&mut self.lock().tables)
    }

    /// The next commits go wrong in these ways, one each.
    pub fn fail(&self, faults: impl IntoIterator<Item = CommitFault>) {
        self.lock().faults.extend(faults);
    }

    /// How many transactions were committed.
    pub fn commits(&self) -> u64 {
        self.lock().commits
    }

    /// The dead letters.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.lock().dead_letters.clone()
    }
}

#[async_trait]
impl<S: Service, T: MemoryTables<S>> Store<S> for MemoryStore<T> {
    async fn commit(&self, batch: &Batch<S>) -> Result<Committed<S>, CommitError> {
        // A commit takes a while: others gather meanwhile.
        tokio::task::yield_now().await;
        let mut inner = self.lock();
        let fault = inner.faults.pop_front();
        match fault {
            Some(CommitFault::Unavailable) => {
                return Err(CommitError::Unavailable("told to fail".to_owned()));
            }
            Some(CommitFault::UnknownLost) => {
                return Err(CommitError::Unknown("told to fail".to_owned()));
            }
            Some(CommitFault::Data) => return Err(CommitError::Data("told to fail".to_owned())),
            Some(CommitFault::UnknownWritten) | None => {}
        }
        let rows = inner.tables.load(&batch.keys());
        let settled = batch.settle(rows);
        inner.tables.write(&settled.writes, batch.at);
        for row in &settled.outbox {
            let earlier = inner.outbox.insert(row.id, (row.clone(), None));
            assert!(earlier.is_none(), "two outbox rows of one id: {}", row.id);
        }
        for id in &batch.upkeep.forget {
            inner.outbox.remove(id);
        }
        for parking in &batch.upkeep.park {
            // A row that somebody has forgotten meanwhile does not come back.
            if let Some(kept) = inner.outbox.get_mut(&parking.row.id) {
                *kept = (parking.row.clone(), Some(parking.until));
            }
        }
        for redrive in &batch.upkeep.redrive {
            let before = inner.dead_letters.len();
            inner.dead_letters.retain(|letter| letter.id != redrive.letter);
            if inner.dead_letters.len() < before {
                let row = redrive.row.clone();
                inner.outbox.insert(row.id, (row, Some(batch.at)));
            }
        }
        for letter in &batch.upkeep.dead_letters {
            if inner.dead_letters.iter().all(|known| known.id != letter.id) {
                inner.dead_letters.push(letter.clone());
            }
        }
        inner.commits += 1;
        if fault.is_some() {
            return Err(CommitError::Unknown("told to fail".to_owned()));
        }
        Ok(Committed { outcomes: settled.outcomes, outbox: settled.outbox })
    }
}

#[async_trait]
impl<T: Send + 'static> Outbox for MemoryStore<T> {
    async fn waiting(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        let inner = self.lock();
        let rows = inner
            .outbox
            .values()
            .filter(|(row, parked)| parked.is_none() && after.is_none_or(|after| row.id > after));
        Ok(rows.take(limit as usize).map(|(row, _)| row.clone()).collect())
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        let inner = self.lock();
        let rows = inner.outbox.values().filter(|(_, parked)| parked.is_some_and(|at| at <= now));
        Ok(rows.take(limit as usize).map(|(row, _)| row.clone()).collect())
    }

    async fn parked(&self) -> Result<u64, ReadError> {
        let inner = self.lock();
        Ok(inner.outbox.values().filter(|(_, parked)| parked.is_some()).count() as u64)
    }

    async fn adopt(&self, _limit: u32) -> Result<u64, ReadError> {
        // Whoever works on it shares the one owner.
        Ok(0)
    }
}

#[async_trait]
impl<T: Send + 'static> DeadLetters for MemoryStore<T> {
    async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, ReadError> {
        let DeadLetterFilter { queue, before } = *filter;
        let mut letters = self.dead_letters();
        letters.retain(|letter| {
            queue.is_none_or(|queue| letter.queue == queue)
                && before.is_none_or(|before| letter.id < before)
        });
        letters.sort_by(|a, b| b.id.cmp(&a.id));
        letters.truncate(limit as usize);
        Ok(letters)
    }

    async fn dead_letter(&self, id: Uuid) -> Result<Option<DeadLetter>, ReadError> {
        Ok(self.lock().dead_letters.iter().find(|letter| letter.id == id).cloned())
    }
}
