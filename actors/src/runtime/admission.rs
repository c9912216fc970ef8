//! Admission: whether the system takes another order, by its own [`lag`](super::lag).
//!
//! Mailboxes have no bound, so work is bounded at admission. The lag is the longest of: the wait of the
//! oldest change in a journal; the messages that relays have published and nobody has taken, against
//! the rate at which they are taken; and the depth of each work queue (asked of the broker) against
//! the rate at which it is drained. Payment's are left out: a slow gateway must not close the shop.

use super::journal::JournalHealth;
use super::lag::{Lag, UnconsumedQueue};
use crate::metrics::AdmissionMetrics;
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

impl BusyCause {
    /// The cause in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ShuttingDown => "shutting_down",
            Self::DatabaseDown => "database_down",
            Self::Overloaded => "overloaded",
        }
    }
}

/// Admission of new orders. One a process.
pub struct Admission {
    journals: Vec<Arc<JournalHealth>>,
    lag: Arc<Lag>,
    metrics: AdmissionMetrics,
    closed: AtomicBool,
}

impl Admission {
    /// Admission that depends on these journals, and what is measured of relays and queues.
    pub fn new(
        journals: Vec<Arc<JournalHealth>>,
        lag: Arc<Lag>,
        metrics: AdmissionMetrics,
    ) -> Self {
        Self { journals, lag, metrics, closed: AtomicBool::new(false) }
    }

    /// Admits nobody any more: the process is about to end.
    pub fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    /// How far behind the system is.
    pub fn lag(&self) -> Duration {
        self.journal_wait().max(self.lag.for_admission())
    }

    /// The same by what it comes from, by its name in metrics.
    pub fn lags(&self) -> [(&'static str, Duration); 3] {
        let [relay, queue] = self.lag.by_source();
        [("journal", self.journal_wait()), ("relay", relay), ("queue", queue)]
    }

    /// True when an order that comes now is let in at once.
    pub fn is_open(&self) -> bool {
        self.shut().is_none() && self.lag() < LAG_TARGET
    }

    fn journal_wait(&self) -> Duration {
        self.journals.iter().map(|health| health.wait()).max().unwrap_or_default()
    }

    /// Why no order is let in, however long it waits.
    fn shut(&self) -> Option<BusyCause> {
        if self.closed.load(Relaxed) {
            return Some(BusyCause::ShuttingDown);
        }
        self.is_down().then_some(BusyCause::DatabaseDown)
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
        let since = Instant::now();
        loop {
            let (lag, shut) = (self.lag(), self.shut());
            if shut.is_none() && lag < LAG_TARGET {
                self.metrics.admitted(since.elapsed());
                return Ok(());
            }
            if shut.is_some() || since.elapsed() >= ADMISSION_WAIT {
                let retry_after = lag.clamp(Duration::from_secs(1), ADMISSION_WAIT * 30);
                let cause = shut.unwrap_or(BusyCause::Overloaded);
                self.metrics.turned_away(cause.as_str());
                return Err(Busy { retry_after, cause });
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
}
