//! The real world: the system's clock, and UUIDv7s that grow.

use ordermill_domain::clock::{Clock, IdSource, Timestamp, World, storable};
use std::sync::{Arc, Mutex};
use uuid::{ContextV7, Uuid};

/// The operating system's wall clock.
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the system is asked")]
    fn now(&self) -> Timestamp {
        storable(chrono::Utc::now())
    }
}

/// UUIDv7s, each greater than the last, also within a millisecond: an outbox is read in their order.
struct GrowingIds(Mutex<ContextV7>);

impl IdSource for GrowingIds {
    fn next(&self) -> Uuid {
        let context = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Uuid::new_v7(uuid::Timestamp::now(&*context))
    }
}

/// The world of a running process.
pub fn real() -> World {
    let ids = GrowingIds(Mutex::new(ContextV7::new()));
    World { clock: Arc::new(SystemClock), ids: Arc::new(ids) }
}

/// A number that no other process has: it owns the outbox rows that this one writes.
pub fn owner() -> i64 {
    let id = Uuid::new_v7(uuid::Timestamp::now(ContextV7::new()));
    // The lower half of a UUIDv7 is random but for two bits.
    id.as_u64_pair().1.cast_signed()
}
