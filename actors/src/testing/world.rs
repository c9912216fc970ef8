//! Time and ids of a test.

use chrono::{DateTime, Utc};
use ordermill_domain::clock::{Clock, IdSource, Timestamp, World, storable};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// A clock that starts at a fixed moment and follows tokio's time, paused or not.
pub struct TokioClock {
    start: Instant,
    epoch: DateTime<Utc>,
}

impl Default for TokioClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            epoch: DateTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        storable(self.epoch + self.start.elapsed())
    }
}

/// UUIDv7s that count on.
#[derive(Default)]
pub struct CountedIds(AtomicU64);

impl IdSource for CountedIds {
    fn next(&self) -> Uuid {
        let count = self.0.fetch_add(1, Relaxed);
        // Version 7 and the RFC's variant; everything else is the count, so that ids only grow.
        let high = (count >> 12 << 16) | 0x7000 | (count & 0xFFF);
        Uuid::from_u64_pair(high, 0x8000_0000_0000_0000)
    }
}

/// A test's world. Must be made inside of a runtime.
pub fn world() -> World {
    World { clock: Arc::new(TokioClock::default()), ids: Arc::new(CountedIds::default()) }
}
