//! The start: waits for databases and broker, and says meanwhile what it waits for.
//!
//! ```text
//! listen ─▶ wait for each database, migrate ─▶ wait for the broker, declare ─▶ consume ─▶ serve
//!    └─ until then /health answers, /ready says what is missing, everything else is 503
//! ```

use crate::print::told;
use ordermill_domain::backoff::Backoff;
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, interval_at};

/// The pauses before another try. What comes up is noticed within the longest, and each try has its log line.
const RETRY: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));
/// A try that takes longer is logged while it goes on, at this interval.
const TRY_LOGGED_EVERY: Duration = Duration::from_secs(2);

/// Why a try did not succeed.
pub enum NotReady {
    /// It may pass: the server is not up yet.
    Again(anyhow::Error),
    /// It will not pass by itself.
    Never(anyhow::Error),
}

/// A database or the broker was not available within the time that a start may take.
#[derive(Debug, Error)]
#[error(
    "{what} did not respond within {} (ORDERMILL_STARTUP_TIMEOUT): {cause}",
    humantime::format_duration(*.patience)
)]
pub struct NotAvailable {
    /// What was waited for.
    pub what: String,
    /// How long.
    pub patience: Duration,
    /// What the last try came to.
    pub cause: String,
}

/// A start under way.
pub struct Boot {
    patience: Duration,
    deadline: Instant,
    /// The part that it waits for, and what the last try came to.
    missing: Mutex<Option<(String, String)>>,
}

impl Boot {
    /// A start that may take so long.
    pub fn new(patience: Duration) -> Self {
        let deadline = Instant::now() + patience;
        Self { patience, deadline, missing: Mutex::new(None) }
    }

    /// What it waits for now.
    pub fn missing(&self) -> Option<String> {
        let missing = self.missing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        missing.as_ref().map(|(part, cause)| format!("{part}: {cause}"))
    }

    /// The same without the cause, which names hosts and users.
    pub fn missing_part(&self) -> Option<String> {
        let missing = self.missing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        missing.as_ref().map(|(part, _)| part.clone())
    }

    fn misses(&self, missing: Option<(&str, &str)>) {
        let missing = missing.map(|(part, cause)| (part.to_owned(), cause.to_owned()));
        *self.missing.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = missing;
    }

    /// Tries until it succeeds, until it cannot, or until the start has taken too long.
    pub async fn wait_for<T, F>(
        &self,
        what: &str,
        attempt: impl Fn() -> F + Send,
    ) -> anyhow::Result<T>
    where
        F: Future<Output = Result<T, NotReady>> + Send,
    {
        let mut failures = 0;
        self.misses(Some((what, "no response yet")));
        loop {
            let error = match logged(what, attempt()).await {
                Ok(done) => {
                    self.misses(None);
                    return Ok(done);
                }
                Err(NotReady::Never(error)) => return Err(error),
                Err(NotReady::Again(error)) => error,
            };
            let (cause, pause) = (told(&error), RETRY.delay(failures));
            if Instant::now() + pause > self.deadline {
                let (what, patience) = (what.to_owned(), self.patience);
                return Err(NotAvailable { what, patience, cause }.into());
            }
            self.misses(Some((what, &cause)));
            tracing::warn!(cause, again_in = ?pause, "waiting for {what}");
            tokio::time::sleep(pause).await;
            failures += 1;
        }
    }
}

/// A try, which is logged while it goes on without an answer.
async fn logged<T>(what: &str, attempt: impl Future<Output = T>) -> T {
    let mut ticks = interval_at(Instant::now() + TRY_LOGGED_EVERY, TRY_LOGGED_EVERY);
    tokio::pin!(attempt);
    loop {
        tokio::select! {
            biased;
            done = &mut attempt => return done,
            _ = ticks.tick() => tracing::warn!("waiting for {what}: no response yet"),
        }
    }
}
