//! What some clients have reserved.

use futures::future::try_join_all;
use std::time::Duration;
use tokio::time::Instant;

/// What some clients have reserved.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub reserved: u64,
    /// Attempts that found another version.
    pub retries: u64,
    pub given_up: u64,
    pub took: Duration,
}

impl Tally {
    pub fn per_s(&self) -> f64 {
        self.reserved as f64 / self.took.as_secs_f64().max(1e-6)
    }

    /// Runs clients side by side, each until the end that it is given.
    pub async fn of<F>(clients: impl Iterator<Item = F>, began: Instant) -> anyhow::Result<Self>
    where
        F: Future<Output = anyhow::Result<Self>> + Send + 'static,
    {
        let mut total = Self::default();
        for own in try_join_all(clients.map(tokio::spawn)).await? {
            let own = own?;
            total.reserved += own.reserved;
            total.retries += own.retries;
            total.given_up += own.given_up;
        }
        Ok(Self { took: began.elapsed(), ..total })
    }
}
