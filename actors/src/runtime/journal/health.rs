//! How a journal is doing, for admission and readiness.

use crate::ports::ReadError;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// One of a journal.
#[derive(Debug)]
pub struct JournalHealth {
    service: String,
    epoch: Instant,
    /// Milliseconds since the epoch when the oldest uncommitted change came in, plus one; 0: none.
    waiting_since_ms: AtomicU64,
    /// It cannot be written to.
    down: AtomicBool,
    /// It cannot be read.
    silent: AtomicBool,
    /// The database's last words on why it is not available.
    unavailable_cause: Mutex<String>,
    busy: AtomicBool,
    /// Changes that wait for a transaction.
    pending: AtomicUsize,
}

impl JournalHealth {
    /// Of a service's journal that has nothing to do yet.
    pub(super) fn new(service: String) -> Self {
        Self {
            service,
            epoch: Instant::now(),
            waiting_since_ms: AtomicU64::new(0),
            down: AtomicBool::new(false),
            silent: AtomicBool::new(false),
            unavailable_cause: Mutex::default(),
            busy: AtomicBool::new(false),
            pending: AtomicUsize::new(0),
        }
    }

    /// Whose journal it is.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// True while anything waits to be written: changes, rows to forget or to park, dead letters.
    pub fn is_busy(&self) -> bool {
        self.busy.load(Relaxed)
    }

    /// How long the oldest uncommitted change has waited.
    pub fn wait(&self) -> Duration {
        match self.waiting_since_ms.load(Relaxed) {
            0 => Duration::ZERO,
            since => self.epoch.elapsed().saturating_sub(Duration::from_millis(since - 1)),
        }
    }

    /// True while the database is not available: it cannot be written to, or it does not answer.
    pub fn is_down(&self) -> bool {
        self.down.load(Relaxed) || self.silent.load(Relaxed)
    }

    /// Why the database is not available. None: it is.
    pub fn unavailable_cause(&self) -> Option<String> {
        self.is_down().then(|| self.cause_text().clone())
    }

    /// Changes that wait for a transaction to begin.
    pub fn pending_changes(&self) -> usize {
        self.pending.load(Relaxed)
    }

    /// Notes whether the database answers: the relay's looks say so while nothing is written.
    pub(in crate::runtime) fn report_read<T>(&self, read: &Result<T, ReadError>) {
        if let Err(ReadError::Away(cause) | ReadError::Unreadable(cause)) = read {
            self.cause_text().clone_from(cause);
        }
        self.silent.store(read.is_err(), Relaxed);
    }

    /// The database takes nothing. True when it did until now.
    pub(super) fn report_unavailable(&self, cause: &str) -> bool {
        cause.clone_into(&mut self.cause_text());
        !self.down.swap(true, Relaxed)
    }

    /// The database has taken a batch, or has said what is wrong with it.
    pub(super) fn report_available(&self) {
        if self.down.swap(false, Relaxed) {
            tracing::info!(service = %self.service, "the database is available again");
        }
    }

    /// Something waits to be written, or nothing does.
    pub(super) fn busy(&self, busy: bool) {
        self.busy.store(busy, Relaxed);
    }

    /// So many changes wait.
    pub(super) fn pending(&self, changes: usize) {
        self.pending.store(changes, Relaxed);
    }

    /// When the oldest change came in that waits. None: none does.
    pub(super) fn oldest(&self, since: Option<Instant>) {
        let millis = |since: Instant| {
            u64::try_from(since.duration_since(self.epoch).as_millis()).unwrap_or(u64::MAX - 1) + 1
        };
        self.waiting_since_ms.store(since.map_or(0, millis), Relaxed);
    }

    fn cause_text(&self) -> MutexGuard<'_, String> {
        self.unavailable_cause.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
