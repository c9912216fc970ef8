//! How long to wait before another try: twice as long each time, up to a longest delay.
//!
//! ```text
//! fails ─▶ first ─▶ fails ─▶ 2 × first ─▶ fails ─▶ 4 × first ─▶ … ─▶ longest ─▶ longest
//! ```
//!
//! Without randomness: a simulation with the same seed waits equally long again.

use std::time::Duration;

/// A delay that doubles with each failure in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Delays from `first` to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The delay after a failure that follows so many others: `delay(0)` is the first.
    pub fn delay(self, earlier: u32) -> Duration {
        self.first.saturating_mul(2_u32.saturating_pow(earlier)).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(1));

    #[test]
    fn delays_double_from_the_first_to_the_longest() {
        let delays: Vec<_> = (0..5).map(|earlier| BACKOFF.delay(earlier).as_millis()).collect();
        assert_eq!(delays, [200, 400, 800, 1_000, 1_000]);
    }

    #[test]
    fn any_number_of_failures_has_a_delay() {
        assert_eq!(BACKOFF.delay(u32::MAX), Duration::from_secs(1));
        let unbounded = Backoff::new(Duration::MAX, Duration::MAX);
        assert_eq!(unbounded.delay(32), Duration::MAX);
    }
}
