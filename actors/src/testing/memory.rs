//! A store in memory: the tables of one service, its outbox and its dead letters, behind one lock.

use crate::ports::{
    CommitError, Committed, DeadLetterFilter, DeadLetters, Outbox, ReadError, Store,
};
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::messages::Queue;
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::service::{Batch, DeadLetter, DeadLetterCount, DiscardedLetter, Service};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use uuid::Uuid;

/// A service's tables in memory.
pub trait MemoryTables<S: Service>: Default + Send + 'static {
    /// The rows of these keys.
    fn load(&self, keys: &S::Keys) -> S::Rows;
    /// Writes what was decided.
    fn write(&mut self, writes: &S::Writes, at: Timestamp);
}

/// A fault of a commit.
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
    outbox: BTreeMap<Uuid, StoredOutboxRow>,
    dead_owners: BTreeSet<u64>,
    dead_letters: Vec<DeadLetter>,
    discarded: Vec<DiscardedLetter>,
    faults: VecDeque<CommitFault>,
    commits: u64,
}

/// An outbox row, until when it is parked, and whose it is.
struct StoredOutboxRow {
    row: OutboxRow,
    parked: Option<Timestamp>,
    owner: u64,
}

/// A service's database in memory, as one process sees it. Cheap to clone.
pub struct MemoryStore<T> {
    inner: Arc<Mutex<Inner<T>>>,
    owner: u64,
}

impl<T> Clone for MemoryStore<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), owner: self.owner }
    }
}

impl<T: Default> Default for MemoryStore<T> {
    fn default() -> Self {
        Self { inner: Arc::default(), owner: 0 }
    }
}

impl<T> MemoryStore<T> {
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The same database, as another process sees it.
    pub fn owned_by(&self, owner: u64) -> Self {
        Self { inner: self.inner.clone(), owner }
    }

    /// A process is gone: others may take over what it has left.
    pub fn owner_died(&self, owner: u64) {
        self.lock().dead_owners.insert(owner);
    }

    /// How many rows are in the outbox, whoever's they are.
    pub fn outbox_len(&self) -> usize {
        self.lock().outbox.len()
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
        let decided = batch.decide(rows);
        inner.tables.write(&decided.writes, batch.at);
        for row in &decided.outbox {
            let kept = StoredOutboxRow { row: row.clone(), parked: None, owner: self.owner };
            let earlier = inner.outbox.insert(row.id, kept);
            assert!(earlier.is_none(), "two outbox rows of one id: {}", row.id);
        }
        for id in &batch.maintenance.forget {
            inner.outbox.remove(id);
        }
        for parking in &batch.maintenance.park {
            // A row that somebody has forgotten meanwhile does not come back.
            if let Some(kept) = inner.outbox.get_mut(&parking.row.id) {
                kept.row = parking.row.clone();
                kept.parked = Some(parking.until);
            }
        }
        for redrive in &batch.maintenance.redrive {
            let before = inner.dead_letters.len();
            inner.dead_letters.retain(|letter| letter.id != redrive.letter);
            if inner.dead_letters.len() < before {
                let row = redrive.row.clone();
                let kept = StoredOutboxRow { row, parked: Some(batch.at), owner: self.owner };
                inner.outbox.insert(kept.row.id, kept);
            }
        }
        for letter in &batch.maintenance.dead_letters {
            if inner.dead_letters.iter().all(|known| known.id != letter.id) {
                inner.dead_letters.push(letter.clone());
            }
        }
        for discard in &batch.maintenance.discard {
            let Inner { dead_letters, discarded, .. } = &mut *inner;
            let found = dead_letters.iter().position(|letter| letter.id == discard.letter);
            discarded.extend(found.map(|found| DiscardedLetter {
                letter: dead_letters.remove(found),
                reason: discard.reason.clone(),
                discarded_at: batch.at,
            }));
        }
        inner.commits += 1;
        if fault.is_some() {
            return Err(CommitError::Unknown("told to fail".to_owned()));
        }
        Ok(Committed { outcomes: decided.outcomes, outbox: decided.outbox })
    }
}

#[async_trait]
impl<T: Send + 'static> Outbox for MemoryStore<T> {
    async fn waiting(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        let inner = self.lock();
        let rows = inner.outbox.values().filter(|kept| {
            kept.owner == self.owner
                && kept.parked.is_none()
                && after.is_none_or(|after| kept.row.id > after)
        });
        Ok(rows.take(limit as usize).map(|kept| kept.row.clone()).collect())
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        let inner = self.lock();
        let due = |kept: &&StoredOutboxRow| {
            kept.owner == self.owner && kept.parked.is_some_and(|at| at <= now)
        };
        Ok(inner
            .outbox
            .values()
            .filter(due)
            .take(limit as usize)
            .map(|kept| kept.row.clone())
            .collect())
    }

    async fn parked(&self) -> Result<u64, ReadError> {
        let inner = self.lock();
        Ok(inner.outbox.values().filter(|kept| kept.parked.is_some()).count() as u64)
    }

    async fn adopt(&self, limit: u32) -> Result<u64, ReadError> {
        let mut inner = self.lock();
        let Inner { outbox, dead_owners, .. } = &mut *inner;
        let orphans = outbox.values_mut().filter(|kept| dead_owners.contains(&kept.owner));
        let mut adopted = 0;
        for kept in orphans.take(limit as usize) {
            kept.owner = self.owner;
            adopted += 1;
        }
        Ok(adopted)
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
        letters.sort_by_key(|letter| Reverse(letter.id));
        letters.truncate(limit as usize);
        Ok(letters)
    }

    async fn dead_letter(&self, id: Uuid) -> Result<Option<DeadLetter>, ReadError> {
        Ok(self.lock().dead_letters.iter().find(|letter| letter.id == id).cloned())
    }

    async fn dead_letter_counts(&self) -> Result<Vec<DeadLetterCount>, ReadError> {
        let mut counts: BTreeMap<Queue, DeadLetterCount> = BTreeMap::new();
        for letter in self.dead_letters() {
            let (queue, oldest) = (letter.queue, letter.died_at);
            let none = DeadLetterCount { queue, letters: 0, oldest };
            let count = counts.entry(queue).or_insert(none);
            count.letters += 1;
            count.oldest = count.oldest.min(oldest);
        }
        Ok(counts.into_values().collect())
    }

    async fn forget_dead_letters(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        let letters = &mut self.lock().dead_letters;
        let old = letters.extract_if(.., |letter| letter.died_at < before);
        Ok(old.take(limit as usize).count() as u64)
    }

    async fn discarded_letters(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DiscardedLetter>, ReadError> {
        let DeadLetterFilter { queue, before } = *filter;
        let mut letters = self.lock().discarded.clone();
        letters.retain(|discarded| {
            queue.is_none_or(|queue| discarded.letter.queue == queue)
                && before.is_none_or(|before| discarded.letter.id < before)
        });
        letters.sort_by_key(|discarded| Reverse(discarded.letter.id));
        letters.truncate(limit as usize);
        Ok(letters)
    }

    async fn forget_discarded(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        let discarded = &mut self.lock().discarded;
        let old = discarded.extract_if(.., |discarded| discarded.discarded_at < before);
        Ok(old.take(limit as usize).count() as u64)
    }
}
