//! What is counted and logged of notifications. Never their bodies, nor a signature.

use ordermill_actors::metrics::GatewayMetrics;
use ordermill_actors::payment::NotificationTaken;
use ordermill_domain::payment::Provider;
use poem::Request;
use sha2::{Digest, Sha256};
use std::sync::Mutex;
use std::time::Duration;
use strum::IntoStaticStr;
use tokio::time::Instant;

/// Warnings are logged this often at the most: anybody can cause them.
const WARN_EVERY: Duration = Duration::from_secs(1);

/// What became of a notification, as `ordermill_payment_notifications_total` counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// Stored.
    Taken,
    /// The same has come before.
    Repeated,
    /// Of no order that is known here.
    Unmatched,
    /// Of the gateway's test button.
    Test,
    /// Not of the documented form.
    Malformed,
    /// The signature is wrong, or it is for another account.
    Forged,
    /// It could not be stored.
    Unavailable,
}

/// A notification, as far as it is logged.
pub struct Received {
    /// Whose path it came to.
    pub provider: Provider,
    peer: String,
    bytes: usize,
    /// The beginning of the body's SHA-256: tells bodies apart without showing any.
    digest: String,
}

impl Received {
    /// A notification whose body is not read yet.
    pub fn new(provider: Provider, request: &Request) -> Self {
        let peer = request.remote_addr().to_string();
        Self { provider, peer, bytes: 0, digest: String::new() }
    }

    /// Its body is this.
    pub fn is(&mut self, body: &[u8]) {
        let sum = Sha256::digest(body);
        self.digest = sum.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        self.bytes = body.len();
    }
}

/// Counts and logs notifications.
pub struct Report {
    metrics: GatewayMetrics,
    warnings: Mutex<Warnings>,
}

#[derive(Default)]
struct Warnings {
    last: Option<Instant>,
    /// Since then, and not logged.
    omitted: u64,
}

impl Report {
    /// Counts there.
    pub fn new(metrics: GatewayMetrics) -> Self {
        Self { metrics, warnings: Mutex::default() }
    }

    /// A genuine one.
    pub fn taken(&self, received: &Received, taken: NotificationTaken) {
        let outcome = self.count(received, taken.into());
        let Received { provider, peer, bytes, digest } = received;
        if taken == NotificationTaken::Unmatched {
            tracing::warn!(
                service = "http", %provider, outcome, %peer, bytes, digest,
                "payment notification for no known order; another shop on the same account needs \
                 its own MIDTRANS_ORDER_PREFIX"
            );
        } else {
            tracing::debug!(
                service = "http", %provider, outcome, %peer, bytes, digest,
                "payment notification taken"
            );
        }
    }

    /// One that is not taken.
    pub fn refused(&self, received: &Received, outcome: Outcome, why: &str) {
        let outcome = self.count(received, outcome);
        let Received { provider, peer, bytes, digest } = received;
        if let Some(omitted) = self.warns() {
            tracing::warn!(
                service = "http", %provider, outcome, %peer, bytes, digest, why, omitted,
                "payment notification rejected"
            );
        }
    }

    /// How many warnings were omitted before this one; None: this one is omitted, too.
    fn warns(&self) -> Option<u64> {
        let mut warnings = self.warnings.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if warnings.last.is_some_and(|last| last.elapsed() < WARN_EVERY) {
            warnings.omitted += 1;
            return None;
        }
        warnings.last = Some(Instant::now());
        Some(std::mem::take(&mut warnings.omitted))
    }

    fn count(&self, received: &Received, outcome: Outcome) -> &'static str {
        let outcome = outcome.into();
        self.metrics.notified(received.provider, outcome);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_one_warning_a_second() {
        let report = Report::new(GatewayMetrics::default());
        assert_eq!(report.warns(), Some(0));
        assert!((0..1_000).all(|_| report.warns().is_none()));
        tokio::time::advance(WARN_EVERY).await;
        assert_eq!(report.warns(), Some(1_000));
    }

    #[test]
    fn a_body_is_known_by_its_digest() {
        let mut received = Received::new(Provider::Midtrans, &Request::default());
        received.is(b"abc");
        assert_eq!((received.bytes, &*received.digest), (3, "ba7816bf8f01cfea"));
    }
}
