//! The wall clock, so that what happened here can be compared with what the server has written down.

use std::time::SystemTime;
use tokio::time::Instant;

/// A moment by both clocks: from it on only the monotonic one is asked.
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    micros: i64,
    at: Instant,
}

impl WallClock {
    /// Reads both.
    #[expect(
        clippy::disallowed_methods,
        reason = "compared with a server's stamps; nothing is decided by it"
    )]
    pub fn start() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { micros: i64::try_from(since.as_micros()).unwrap_or(i64::MAX), at: Instant::now() }
    }

    /// A later moment, in microseconds since 1970.
    pub fn micros(&self, moment: Instant) -> i64 {
        let since = moment.saturating_duration_since(self.at).as_micros();
        self.micros.saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
    }
}
