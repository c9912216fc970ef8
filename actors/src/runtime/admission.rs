//! Admission: whether the system takes another order, by its own lag.
//!
//! Mailboxes have no bound, so work is bounded at the door. The lag is the longest of: the wait of the
//! oldest change in a journal, and the messages that relays have published and nobody has taken,
//! against the rate at which they are taken. Payment's messages are left out: a slow gateway must
//! not close the shop.

use super::journal::Gauge;
use super::relay::Flow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Above this lag no order is admitted. Until it is confirmed an order waits in line some six times, in
/// journals and for consumers: what is accepted should be confirmed within a few seconds.
pub const LAG_TARGET: Duration = Duration::from_millis(500);

/// An order waits this long for the lag to pass before it is turned away.
pub const DOOR_WAIT: Duration = Duration::from_secs(1);

/// How often the lag is looked at while an order waits at the door.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How often rates are measured.
pub const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// Below this many open messages there is no backlog, whatever the rate.
const BACKLOG_MIN: u64 = 2_000;

/// Why an order was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// When it is worth another try.
    pub retry_after: Duration,
    /// True when a database does not answer; false when there is too much to do.
    pub down: bool,
}

#[derive(Debug)]
struct Rate {
    at: Instant,
    settled: u64,
    per_second: f64,
}

/// The door. One a process.
pub struct Admission {
    gauges: Vec<Arc<Gauge>>,
    flows: Vec<Arc<Flow>>,
    rate: Mutex<Rate>,
    backlog_ms: AtomicU64,
    closed: AtomicBool,
}

impl Admission {
    /// A door that watches these journals and relays.
    pub fn new(gauges: Vec<Arc<Gauge>>, flows: Vec<Arc<Flow>>) -> Self {
        let rate = Rate { at: Instant::now(), settled: 0, per_second: 0.0 };
        Self {
            gauges,
            flows,
            rate: Mutex::new(rate),
            backlog_ms: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// Admits nobody any more: the process is about to end.
    pub fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    /// Measures the backlog against the rate at which it shrinks. Called each [`MEASURE_EVERY`].
    pub fn measure(&self) {
        let sum = |count: fn(&Flow) -> &AtomicU64| -> u64 {
            self.flows.iter().map(|flow| count(flow).load(Relaxed)).sum()
        };
        let settled = sum(|flow| &flow.settled);
        let open = sum(|flow| &flow.offered).saturating_sub(settled);
        let mut rate = self.rate.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let seconds = rate.at.elapsed().as_secs_f64().max(0.001);
        let latest = settled.saturating_sub(rate.settled) as f64 / seconds;
        // Half the old, half the new: a burst neither opens nor closes the door by itself.
        rate.per_second =
            if rate.per_second == 0.0 { latest } else { (rate.per_second + latest) / 2.0 };
        rate.at = Instant::now();
        rate.settled = settled;
        let lag_ms =
            if open < BACKLOG_MIN { 0.0 } else { open as f64 * 1_000.0 / rate.per_second.max(1.0) };
        self.backlog_ms.store(lag_ms as u64, Relaxed);
    }

    /// How far behind the system is.
    pub fn lag(&self) -> Duration {
        let journals = self.gauges.iter().map(|gauge| gauge.wait()).max().unwrap_or_default();
        journals.max(Duration::from_millis(self.backlog_ms.load(Relaxed)))
    }

    /// True when a database does not answer.
    pub fn is_down(&self) -> bool {
        self.gauges.iter().any(|gauge| gauge.is_down())
    }

    /// Lets an order in, at once or within [`DOOR_WAIT`].
    pub async fn admit(&self) -> Result<(), Busy> {
        let until = Instant::now() + DOOR_WAIT;
        loop {
            let shut = self.closed.load(Relaxed) || self.is_down();
            let lag = self.lag();
            if !shut && lag < LAG_TARGET {
                return Ok(());
            }
            if shut || Instant::now() >= until {
                let retry_after = lag.clamp(Duration::from_secs(1), DOOR_WAIT * 30);
                return Err(Busy { retry_after, down: self.is_down() });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
