//! A clock that a test sets.

use ordermill_domain::clock::{Clock, Timestamp, storable};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A clock that stands still until it is advanced.
pub struct SettableClock(Mutex<Timestamp>);

impl SettableClock {
    /// A clock that shows a time.
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(storable(now)))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
