//! Admission: whether the system takes another order, by its own [`lag`](super::lag).
//!
//! Mailboxes have no bound, so work is bounded at the door. The lag is the longest of: the wait of the
//! oldest change in a journal; the messages that relays have published and nobody has taken, against
//! the rate at which they are taken; and the depth of each work queue (asked of the broker) against
//! the rate at which it is drained. Payment's are left out: a slow gateway must not close the shop.

use super::journal::Gauge;
use super::lag::{Deserted, Lag};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// Above this lag no order is admitted. Until it is confirmed an order waits in line some six times, in
/// journals and for consumers: what is accepted should be confirmed within a few seconds.
pub const LAG_TARGET: Duration = Duration::from_millis(500);

/// An order waits this long for the lag to pass before it is turned away.
pub const DOOR_WAIT: Duration = Duration::from_secs(1);

/// How often the lag is looked at while an order waits at the door.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Why an order was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// When it is worth another try.
    pub retry_after: Duration,
    /// True when a database is not available; false when there is too much to do.
    pub down: bool,
}

/// The door. One a process.
pub struct Admission {
    gauges: Vec<Arc<Gauge>>,
    lag: Arc<Lag>,
    closed: AtomicBool,
}

impl Admission {
    /// A door that watches these journals, and what is measured of relays and queues.
    pub fn new(gauges: Vec<Arc<Gauge>>, lag: Arc<Lag>) -> Self {
        Self { gauges, lag, closed: AtomicBool::new(false) }
    }

    /// Admits nobody any more: the process is about to end.
    pub fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    /// How far behind the system is.
    pub fn lag(&self) -> Duration {
        let journals = self.gauges.iter().map(|gauge| gauge.wait()).max().unwrap_or_default();
        journals.max(self.lag.at_the_door())
    }

    /// True when a database is not available.
    pub fn is_down(&self) -> bool {
        self.gauges.iter().any(|gauge| gauge.is_down())
    }

    /// The services whose databases are not available, and why.
    pub fn down(&self) -> Vec<(&str, String)> {
        self.gauges.iter().filter_map(|gauge| Some((gauge.service(), gauge.trouble()?))).collect()
    }

    /// The queues that nobody consumes: why it is far behind, where there are any.
    pub fn deserted(&self) -> Vec<Deserted> {
        self.lag.deserted()
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
