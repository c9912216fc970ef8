//! The start: waits for databases and broker, and says meanwhile what it waits for.
//!
//! ```text
//! listen ─▶ wait for each database, migrate ─▶ wait for the broker, declare ─▶ consume ─▶ serve
//!    └─ until then /health answers, /ready says what is missing, everything else is 503
//! ```

use crate::print::told;
use anyhow::Context;
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// The first pause before another try, doubled each time.
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// The longest such pause: what comes up is noticed within this time.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Why a try did not succeed.
pub enum Wait {
    /// It may pass: the server is not up yet.
    Again(anyhow::Error),
    /// It will not pass by itself.
    Never(anyhow::Error),
}

/// A start under way.
pub struct Boot {
    deadline: Instant,
    missing: Mutex<Option<String>>,
}

impl Boot {
    /// A start that may take so long.
    pub fn new(patience: Duration) -> Self {
        Self { deadline: Instant::now() + patience, missing: Mutex::new(None) }
    }

    /// What it waits for now.
    pub fn missing(&self) -> Option<String> {
        self.missing.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn misses(&self, what: Option<String>) {
        *self.missing.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = what;
    }

    /// Tries until it succeeds, until it cannot, or until the start has taken too long.
    pub async fn wait_for<T, F>(
        &self,
        what: &str,
        attempt: impl Fn() -> F + Send,
    ) -> anyhow::Result<T>
    where
        F: Future<Output = Result<T, Wait>> + Send,
    {
        let mut pause = PAUSE_MIN;
        loop {
            let error = match attempt().await {
                Ok(done) => {
                    self.misses(None);
                    return Ok(done);
                }
                Err(Wait::Never(error)) => return Err(error),
                Err(Wait::Again(error)) => error,
            };
            if Instant::now() + pause > self.deadline {
                return Err(error).with_context(|| format!("{what} did not answer in time"));
            }
            let cause = told(&error);
            self.misses(Some(format!("{what}: {cause}")));
            tracing::warn!(cause, again_in = ?pause, "waiting for {what}");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}
