//! The dead-letter service: a service's messages that nobody could handle, shown, and sent on their way
//! again.
//!
//! ```text
//! queue ──▶ consumer ──reject──▶ dead_letters ──redrive──▶ outbox ──relay──▶ the same queue
//!                                      ├────── one transaction ──────┘
//!                                      └──discard──▶ discarded_dead_letters, with the reason
//! ```
//!
//! A redriven message is the same message, under its own id, with fresh attempts. Its text is read again:
//! what an older version could not read, a newer one may.
//!
//! A person may discard a dead letter, with a reason; both are kept for a while. All of a queue are discarded
//! at once only where they cannot be read: one that can be read may be what an order waits for.

use super::journal::{JournalHandle, StoredCallback};
use super::request::{ASK_TIMEOUT, LATE};
use super::retention::Retained;
use crate::ports::{DeadLetterFilter, DeadLetters, Outbox, ReadError};
use async_trait::async_trait;
use ordermill_domain::clock::World;
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{Body, Queue};
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::service::{
    DeadLetter, DeadLetterCount, Discard, DiscardedLetter, Redrive, Service,
};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::oneshot::{self, Receiver};
use tokio::time::Instant;
use uuid::Uuid;

/// How long a dead letter is kept that nobody redrives: time to find out what is wrong, and to mend it.
pub const DEAD_LETTERS_KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);

/// How long one is kept that was discarded: as long, counted from then.
pub const DISCARDED_KEPT: Duration = DEAD_LETTERS_KEPT;

/// Dead letters of a queue that are in memory at a time while all of them are redriven or discarded.
const PAGE: u32 = 100;

/// Why a dead letter was not redriven.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RedriveError {
    /// There is none of this id, or no more.
    #[error("there is no such dead letter")]
    NotFound,
    /// It cannot be read by this version either; it stays.
    #[error("the dead letter is still unreadable: {error}")]
    StillUnreadable {
        /// Why it is unreadable.
        error: String,
    },
    /// The database is away. It may have been redriven all the same: asking again is safe.
    #[error("the database {LATE}")]
    Unavailable,
}

impl From<ReadError> for RedriveError {
    fn from(error: ReadError) -> Self {
        tracing::warn!(%error, "reading dead letters failed");
        Self::Unavailable
    }
}

/// Why a dead letter was not discarded.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DiscardError {
    /// There is none of this id, or no more.
    #[error("there is no such dead letter")]
    NotFound,
    /// The database is away. It may have been discarded all the same: asking again is safe.
    #[error("the database {LATE}")]
    Unavailable,
}

impl From<ReadError> for DiscardError {
    fn from(error: ReadError) -> Self {
        tracing::warn!(%error, "reading dead letters failed");
        Self::Unavailable
    }
}

/// The result of discarding a queue's unreadable dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discarded {
    /// So many are discarded.
    pub discarded: u64,
    /// So many can be read, and stay: they can be redriven.
    pub readable: u64,
}

/// The result of redriving a queue's dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redriven {
    /// So many are on their way.
    pub redriven: u64,
    /// So many still cannot be read, and stay.
    pub unreadable: u64,
}

/// The part of a journal that the dead-letter service needs, whichever service's it is.
trait DeadLetterJournal: Send + Sync {
    fn redrive(&self, redrive: Redrive, stored: StoredCallback);
    fn discard(&self, discard: Discard, stored: StoredCallback);
}

impl<S: Service> DeadLetterJournal for JournalHandle<S> {
    fn redrive(&self, redrive: Redrive, stored: StoredCallback) {
        Self::redrive(self, redrive, stored);
    }

    fn discard(&self, discard: Discard, stored: StoredCallback) {
        Self::discard(self, discard, stored);
    }
}

/// A service's dead letters. Cheap to clone.
#[derive(Clone)]
pub struct DeadLetterService {
    service: ServiceName,
    letters: Arc<dyn DeadLetters>,
    outbox: Arc<dyn Outbox>,
    journal: Arc<dyn DeadLetterJournal>,
    world: World,
    redriven: Arc<AtomicU64>,
    discarded: Arc<AtomicU64>,
}

impl DeadLetterService {
    /// The dead-letter service of the service of this journal, whose database `letters` and `outbox` are.
    pub fn new<S: Service>(
        letters: Arc<dyn DeadLetters>,
        outbox: Arc<dyn Outbox>,
        journal: JournalHandle<S>,
        world: World,
    ) -> Self {
        Self {
            service: S::NAME,
            letters,
            outbox,
            journal: Arc::new(journal),
            world,
            redriven: Arc::default(),
            discarded: Arc::default(),
        }
    }

    /// Whose dead letters they are.
    pub fn service(&self) -> ServiceName {
        self.service
    }

    /// Dead letters, newest first, `limit` at most.
    pub async fn list(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, ReadError> {
        self.letters.dead_letters(filter, limit).await
    }

    /// One of them.
    pub async fn get(&self, id: Uuid) -> Result<Option<DeadLetter>, ReadError> {
        self.letters.dead_letter(id).await
    }

    /// How many rows of the service's outbox are parked: what it has to say and cannot.
    pub async fn parked(&self) -> Result<u64, ReadError> {
        self.outbox.parked().await
    }

    /// How many dead letters there are, by queue.
    pub async fn counts(&self) -> Result<Vec<DeadLetterCount>, ReadError> {
        self.letters.dead_letter_counts().await
    }

    /// How many dead letters were redriven over this process since it started.
    pub fn redriven_count(&self) -> u64 {
        self.redriven.load(Relaxed)
    }

    /// How far the database's clock is ahead of the process's, in seconds. None: it has none of its own.
    pub async fn clock_skew(&self) -> Result<Option<f64>, ReadError> {
        let asked = self.world.now();
        let Some(theirs) = self.outbox.clock().await? else { return Ok(None) };
        // The answer was given somewhere between the question and now.
        let ours = asked + (self.world.now() - asked) / 2;
        Ok((theirs - ours).num_microseconds().map(|micros| micros as f64 / 1e6))
    }

    /// Dead letters that were discarded, newest first, `limit` at most.
    pub async fn discarded(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DiscardedLetter>, ReadError> {
        self.letters.discarded_letters(filter, limit).await
    }

    /// How many dead letters were discarded over this process since it started.
    pub fn discarded_count(&self) -> u64 {
        self.discarded.load(Relaxed)
    }

    /// Discards a dead letter, whether it can be read or not; when it returns, that is certain. Asked twice
    /// at once, the first reason is kept.
    pub async fn discard(&self, id: Uuid, reason: &str) -> Result<DeadLetter, DiscardError> {
        let letter = self.get(id).await?.ok_or(DiscardError::NotFound)?;
        match tokio::time::timeout(ASK_TIMEOUT, self.hand_out(&letter, reason)).await {
            Ok(Ok(())) => Ok(letter),
            Ok(Err(_)) | Err(_) => Err(DiscardError::Unavailable),
        }
    }

    /// Discards all dead letters of a queue that cannot be read. When it fails half way, asking again does
    /// the rest.
    pub async fn discard_unreadable(
        &self,
        queue: Queue,
        reason: &str,
    ) -> Result<Discarded, DiscardError> {
        let mut done = Discarded::default();
        let mut filter = DeadLetterFilter { queue: Some(queue), before: None };
        loop {
            let letters = self.list(&filter, PAGE).await?;
            let Some(last) = letters.last() else { return Ok(done) };
            filter.before = Some(last.id);
            let (readable, unreadable): (Vec<_>, Vec<_>) =
                letters.iter().partition(|letter| read(letter).is_ok());
            done.readable += readable.len() as u64;
            let under_way: Vec<_> =
                unreadable.into_iter().map(|letter| self.hand_out(letter, reason)).collect();
            let until = Instant::now() + ASK_TIMEOUT;
            for stored in under_way {
                match tokio::time::timeout_at(until, stored).await {
                    Ok(Ok(())) => done.discarded += 1,
                    Ok(Err(_)) | Err(_) => return Err(DiscardError::Unavailable),
                }
            }
        }
    }

    /// The receiver hears of its commit, or is dropped when nobody knows.
    fn hand_out(&self, letter: &DeadLetter, reason: &str) -> Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        tracing::info!(queue = %letter.queue, letter = %letter.id, reason, "discarding a dead letter");
        let discarded = self.discarded.clone();
        let stored = Box::new(move || {
            discarded.fetch_add(1, Relaxed);
            // Whoever asked may have gone away: it is discarded all the same.
            let _ = sender.send(());
        });
        let discard = Discard { letter: letter.id, reason: reason.to_owned() };
        self.journal.discard(discard, stored);
        receiver
    }

    /// Has a dead letter go back to its queue; when it returns, that is certain. Asked twice at once, it
    /// goes once.
    pub async fn redrive(&self, id: Uuid) -> Result<DeadLetter, RedriveError> {
        let letter = self.get(id).await?.ok_or(RedriveError::NotFound)?;
        let body = read(&letter).map_err(|error| RedriveError::StillUnreadable { error })?;
        let stored = self.hand_in(&letter, body);
        match tokio::time::timeout(ASK_TIMEOUT, stored).await {
            Ok(Ok(())) => Ok(letter),
            Ok(Err(_)) | Err(_) => Err(RedriveError::Unavailable),
        }
    }

    /// Has all dead letters of a queue go back to it; those that still cannot be read stay. When it
    /// fails half way, asking again does the rest. What dies anew meanwhile is not taken up again.
    pub async fn redrive_queue(&self, queue: Queue) -> Result<Redriven, RedriveError> {
        let mut done = Redriven::default();
        let mut filter = DeadLetterFilter { queue: Some(queue), before: None };
        loop {
            let letters = self.list(&filter, PAGE).await?;
            let Some(last) = letters.last() else { return Ok(done) };
            filter.before = Some(last.id);
            let mut under_way = Vec::with_capacity(letters.len());
            for letter in &letters {
                match read(letter) {
                    Ok(body) => under_way.push(self.hand_in(letter, body)),
                    Err(_) => done.unreadable += 1,
                }
            }
            let until = Instant::now() + ASK_TIMEOUT;
            for stored in under_way {
                match tokio::time::timeout_at(until, stored).await {
                    Ok(Ok(())) => done.redriven += 1,
                    Ok(Err(_)) | Err(_) => return Err(RedriveError::Unavailable),
                }
            }
        }
    }

    /// The receiver hears of its commit, or is dropped when nobody knows.
    fn hand_in(&self, letter: &DeadLetter, body: Body) -> Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let row = OutboxRow::redriven(self.world.new_id(), letter.queue, body);
        tracing::info!(queue = %letter.queue, letter = %letter.id, "redriving a dead letter");
        let redriven = self.redriven.clone();
        let stored = Box::new(move || {
            redriven.fetch_add(1, Relaxed);
            // Whoever asked may have gone away: it is redriven all the same.
            let _ = sender.send(());
        });
        self.journal.redrive(Redrive { letter: letter.id, row }, stored);
        receiver
    }
}

#[async_trait]
impl Retained for DeadLetterService {
    fn name(&self) -> String {
        format!("dead letters of {}", self.service)
    }

    async fn forget(&self, limit: u32) -> Result<u64, ReadError> {
        let now = self.world.now();
        let dead = self.letters.forget_dead_letters(now - DEAD_LETTERS_KEPT, limit).await?;
        let discarded = self.letters.forget_discarded(now - DISCARDED_KEPT, limit).await?;
        Ok(dead + discarded)
    }
}

/// The body of a dead letter, or why it still cannot be read.
fn read(letter: &DeadLetter) -> Result<Body, String> {
    let body = Body::read(letter.body.as_bytes()).map_err(|unreadable| unreadable.error)?;
    if body.unreadable().is_empty() {
        return Ok(body);
    }
    let errors: Vec<_> = body.unreadable().iter().map(|entry| entry.error.as_str()).collect();
    Err(errors.join("; "))
}
