//! Admission: whether the system takes another order, by its own lag.
//!
//! Mailboxes have no bound, so work is bounded at the door. The lag is the longest of: the wait of the
//! oldest change in a journal; the messages that relays have published and nobody has taken, against
//! the rate at which they are taken; and the depth of each work queue (asked of the broker) against
//! the rate at which it is drained. Payment's are left out: a slow gateway must not close the shop.

use super::journal::Gauge;
use super::relay::Flow;
use super::stations::Intake;
use crate::ids::ServiceName;
use crate::messages::QueueKind;
use crate::ports::Depth;
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

/// How fast something is done.
#[derive(Debug)]
struct Rate {
    at: Instant,
    done: u64,
    per_second: f64,
}

impl Rate {
    fn new() -> Self {
        Self { at: Instant::now(), done: 0, per_second: 0.0 }
    }

    /// Takes in how much was done in all until now.
    fn measure(&mut self, done: u64) -> f64 {
        let seconds = self.at.elapsed().as_secs_f64().max(0.001);
        let latest = done.saturating_sub(self.done) as f64 / seconds;
        // Half the old, half the new: a burst neither opens nor closes the door by itself.
        self.per_second =
            if self.per_second == 0.0 { latest } else { (self.per_second + latest) / 2.0 };
        self.at = Instant::now();
        self.done = done;
        self.per_second
    }
}

/// How long so much takes at a rate, in milliseconds.
fn lag_ms(open: u64, per_second: f64) -> u64 {
    if open < BACKLOG_MIN { 0 } else { (open as f64 * 1_000.0 / per_second.max(1.0)) as u64 }
}

/// The door. One a process.
pub struct Admission {
    gauges: Vec<Arc<Gauge>>,
    flows: Vec<Arc<Flow>>,
    intakes: Vec<(Intake, Mutex<Rate>)>,
    rate: Mutex<Rate>,
    backlog_ms: AtomicU64,
    queues_ms: AtomicU64,
    closed: AtomicBool,
}

impl Admission {
    /// A door that watches these journals, relays and queues.
    pub fn new(gauges: Vec<Arc<Gauge>>, flows: Vec<Arc<Flow>>, intakes: &[Intake]) -> Self {
        let counts = |intake: &&Intake| {
            let queue = intake.queue();
            queue.service() != ServiceName::Payment && queue.kind() == QueueKind::Quorum
        };
        let watched = intakes.iter().filter(counts).cloned();
        Self {
            gauges,
            flows,
            intakes: watched.map(|intake| (intake, Mutex::new(Rate::new()))).collect(),
            rate: Mutex::new(Rate::new()),
            backlog_ms: AtomicU64::new(0),
            queues_ms: AtomicU64::new(0),
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
        self.backlog_ms.store(lag_ms(open, rate.measure(settled)), Relaxed);
    }

    /// Measures the queues against the rates at which they are drained. Called each [`MEASURE_EVERY`]
    /// with what the broker says.
    pub fn measure_queues(&self, depths: &[Depth]) {
        let mut longest = 0;
        for (intake, rate) in &self.intakes {
            let mut rate = rate.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let drained = rate.measure(intake.settled());
            let Some(depth) = depths.iter().find(|depth| depth.queue == intake.queue()) else {
                continue;
            };
            // Other processes' consumers are taken to be as fast as this one's.
            longest = longest.max(lag_ms(depth.ready, drained * depth.consumers.max(1) as f64));
        }
        self.queues_ms.store(longest, Relaxed);
    }

    /// How far behind the system is.
    pub fn lag(&self) -> Duration {
        let journals = self.gauges.iter().map(|gauge| gauge.wait()).max().unwrap_or_default();
        let queued = self.backlog_ms.load(Relaxed).max(self.queues_ms.load(Relaxed));
        journals.max(Duration::from_millis(queued))
    }

    /// True when a database does not answer.
    pub fn is_down(&self) -> bool {
        self.gauges.iter().any(|gauge| gauge.is_down())
    }

    /// The services whose databases do not answer.
    pub fn down(&self) -> Vec<&str> {
        self.gauges.iter().filter(|gauge| gauge.is_down()).map(|gauge| gauge.service()).collect()
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
