//! A process's own clock: the world's, but for its error.

use chrono::TimeDelta;
use ordermill_domain::clock::{Clock, Timestamp};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;

/// A clock that may be wrong, and may jump.
pub struct SimClock {
    true_time: Arc<dyn Clock>,
    error_ms: AtomicI64,
}

impl SimClock {
    /// A clock with this error, in milliseconds.
    pub fn new(true_time: Arc<dyn Clock>, error_ms: i64) -> Self {
        Self { true_time, error_ms: AtomicI64::new(error_ms) }
    }

    /// The clock is set, well or badly.
    pub fn set(&self, error_ms: i64) {
        self.error_ms.store(error_ms, Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.true_time.now() + TimeDelta::milliseconds(self.error_ms.load(Relaxed))
    }
}
