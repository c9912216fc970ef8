//! How the gateway is waited for, and when a decision is made.

use crate::clock::Timestamp;
use std::time::Duration;

/// How the gateway is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentPolicy {
    /// How long an answer is waited for before the outcome counts as unknown.
    pub timeout: Duration,
    /// The pause before a question is put the second time; doubled each further time.
    pub pause_min: Duration,
    /// The longest pause: a gateway that is back is noticed within this time.
    pub pause_max: Duration,
}

impl PaymentPolicy {
    /// A question is taken for lost this long after it should have been answered or put again: time
    /// enough for a busy process to commit either.
    pub(super) const LOST_AFTER: Duration = Duration::from_secs(5);

    /// The pause after so many questions without an answer.
    pub(super) fn pause(&self, unanswered: u32) -> Duration {
        let doublings = unanswered.saturating_sub(1);
        self.pause_min.saturating_mul(2_u32.saturating_pow(doublings)).min(self.pause_max)
    }
}

impl Default for PaymentPolicy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            pause_min: Duration::from_millis(100),
            pause_max: Duration::from_secs(30),
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
