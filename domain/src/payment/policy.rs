//! How the gateway is waited for, and when a decision is made.

use crate::backoff::Backoff;
use crate::clock::Timestamp;
use std::time::Duration;

/// How the gateway is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentPolicy {
    /// How long an answer is waited for before the outcome counts as unknown.
    pub timeout: Duration,
    /// The pauses before a question is put again. A gateway that is back is noticed within the longest.
    pub backoff: Backoff,
}

impl PaymentPolicy {
    /// A question is taken for lost this long after it should have been answered or put again: time
    /// enough for a busy process to commit either.
    pub(super) const LOST_AFTER: Duration = Duration::from_secs(5);

    /// The pause after so many questions without an answer.
    pub(super) fn pause(&self, unanswered: u32) -> Duration {
        self.backoff.delay(unanswered.saturating_sub(1))
    }
}

impl Default for PaymentPolicy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(30)),
        }
    }
}

/// When it is decided, and by which policy.
#[derive(Clone, Copy, Debug)]
pub struct Now<'a> {
    /// The time.
    pub at: Timestamp,
    /// The policy.
    pub policy: &'a PaymentPolicy,
}
