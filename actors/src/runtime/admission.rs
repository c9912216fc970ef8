//! Admission: whether the system takes another order, by its own [`lag`](super::lag).
//!
//! Mailboxes have no bound, so work is bounded at admission. The lag is the longest of: the wait of the
//! oldest change in a journal; the messages that relays have published and nobody has taken, against
//! the rate at which they are taken; and the depth of each work queue (asked of the broker) against
//! the rate at which it is drained. Payment's are left out: a slow gateway must not close the shop.

use super::journal::JournalHealth;
use super::lag::{Lag, UnconsumedQueue};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// Above this lag no order is admitted. Until it is confirmed an order waits in line some six times, in
/// journals and for consumers: what is accepted should be confirmed within a few seconds.
pub const LAG_TARGET: Duration = Duration::from_millis(500);

/// An order waits this long for the lag to pass before it is turned away.
pub const ADMISSION_WAIT: Duration = Duration::from_secs(1);

/// How often the lag is looked at while an order waits for admission.
const POLL_EVERY: Duration = Duration::from_millis(50);

/// Why an order was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// When it is worth another try.
    pub retry_after: Duration,
    /// Why no order is admitted.
    pub cause: BusyCause,
}

/// Why no order is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusyCause {
    /// The process is about to end.
    ShuttingDown,
    /// A database is not available.
    DatabaseDown,
    /// There is too much to do.
    Overloaded,
}

/// Admission of new orders. One a process.
pub struct Admission {
    journals: Vec<Arc<JournalHealth>>,
    lag: Arc<Lag>,
    closed: AtomicBool,
}

impl Admission {
    /// Admission that depends on these journals, and what is measured of relays and queues.
    pub fn new(journals: Vec<Arc<JournalHealth>>, lag: Arc<Lag>) -> Self {
        Self { journals, lag, closed: AtomicBool::new(false) }
    }

    /// Admits nobody any more: the process is about to end.
    pub fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    /// How far behind the system is.
    pub fn lag(&self) -> Duration {
        let journals = self.journals.iter().map(|health| health.wait()).max().unwrap_or_default();
        journals.max(self.lag.for_admission())
    }

    /// True when a database is not available.
    pub fn is_down(&self) -> bool {
        self.journals.iter().any(|health| health.is_down())
    }

    /// The services whose databases are not available, and why.
    pub fn down(&self) -> Vec<(&str, String)> {
        self.journals
            .iter()
            .filter_map(|health| Some((health.service(), health.unavailable_cause()?)))
            .collect()
    }

    /// The queues that nobody consumes: why it is far behind, where there are any.
    pub fn unconsumed_queues(&self) -> Vec<UnconsumedQueue> {
        self.lag.unconsumed_queues()
    }

    /// Lets an order in, at once or within [`ADMISSION_WAIT`].
    pub async fn admit(&self) -> Result<(), Busy> {
        let until = Instant::now() + ADMISSION_WAIT;
        loop {
            let lag = self.lag();
            let shut = if self.closed.load(Relaxed) {
                Some(BusyCause::ShuttingDown)
            } else {
                self.is_down().then_some(BusyCause::DatabaseDown)
            };
            if shut.is_none() && lag < LAG_TARGET {
                return Ok(());
            }
            if shut.is_some() || Instant::now() >= until {
                let retry_after = lag.clamp(Duration::from_secs(1), ADMISSION_WAIT * 30);
                return Err(Busy { retry_after, cause: shut.unwrap_or(BusyCause::Overloaded) });
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
}
