//! A process's life: what it does to the world happens only while it runs.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use tokio::sync::Notify;

const RUNNING: u8 = 0;
const STOPPED: u8 = 1;
const DEAD: u8 = 2;

/// A process's life. Cheap to clone.
#[derive(Clone)]
pub struct ProcessGate {
    state: Arc<AtomicU8>,
    /// Wakes in the order of waiting. (tokio's `watch` wakes in an order of chance.)
    changed: Arc<Notify>,
    /// Which process; no other's, before or after.
    pub number: u64,
}

impl ProcessGate {
    /// A life that begins.
    pub fn new(number: u64) -> Self {
        Self { state: Arc::default(), changed: Arc::default(), number }
    }

    /// Ends it: whatever it has under way never comes back.
    pub fn kill(&self) {
        self.state.store(DEAD, Relaxed);
        self.changed.notify_waiters();
    }

    /// Holds it (SIGSTOP); not if it is dead.
    pub fn stop(&self) {
        let _ = self.state.compare_exchange(RUNNING, STOPPED, Relaxed, Relaxed);
    }

    /// Lets it go on (SIGCONT).
    pub fn go_on(&self) {
        let _ = self.state.compare_exchange(STOPPED, RUNNING, Relaxed, Relaxed);
        self.changed.notify_waiters();
    }

    /// True once it is over.
    pub fn is_dead(&self) -> bool {
        self.state.load(Relaxed) == DEAD
    }

    /// True while it neither is dead nor stopped.
    pub fn runs(&self) -> bool {
        self.state.load(Relaxed) == RUNNING
    }

    /// Returns while the process runs: waits while it is stopped, for ever when it is dead.
    pub async fn runs_on(&self) {
        loop {
            let changed = self.changed.notified();
            match self.state.load(Relaxed) {
                RUNNING => return,
                STOPPED => changed.await,
                _ => pending().await,
            }
        }
    }
}
