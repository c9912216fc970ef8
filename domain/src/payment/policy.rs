//! How gateways and customers are waited for, and when a decision is made.

use super::provider::{GatewayRoutes, Provider};
use crate::backoff::Backoff;
use crate::clock::Timestamp;
use std::time::Duration;

/// How gateways and customers are waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentPolicy {
    /// How long an answer is waited for before the outcome counts as unknown.
    pub timeout: Duration,
    /// The pauses before a request is made again. A gateway that is back is noticed within the longest.
    pub backoff: Backoff,
    /// How long a customer has to pay at a page. None: until shortly before the order's deadline.
    pub window: Option<Duration>,
    /// How long an order may take: its page ends before.
    pub order_timeout: Duration,
    /// The gateway of each currency.
    pub routes: GatewayRoutes,
}

impl PaymentPolicy {
    /// A request is taken for lost this long after it should have been answered or made again: time enough for a
    /// busy process to commit either.
    pub(super) const LOST_AFTER: Duration = Duration::from_secs(5);
    /// The gateway is asked this long after its page was made, in case its notification never comes; then after
    /// twice as long, up to [`Self::POLL_MAX`].
    const POLL_FIRST: Duration = Duration::from_secs(60);
    /// The longest time between two such requests.
    const POLL_MAX: Duration = Duration::from_secs(5 * 60);
    /// The pauses before the gateway is asked again when a notification claims more money than the gateway shows: its
    /// status may lag behind its notifications.
    pub(super) const RECHECKS: [Duration; 4] = [
        Duration::from_secs(2),
        Duration::from_secs(5),
        Duration::from_secs(15),
        Duration::from_secs(60),
    ];
    /// Notifications make the gateway be asked at most this often: their unsigned fields can be varied without end.
    pub(super) const NOTIFIED_EVERY: Duration = Duration::from_secs(1);
    /// After its end, a payment that had a page is looked at this much later: a card at the bank's own page, a bank
    /// transfer or cash may outlive the page.
    pub(super) const LATE_LOOKS: [Duration; 2] =
        [Duration::from_secs(30 * 60), Duration::from_secs(24 * 60 * 60)];
    /// A bank may take the money of some methods back within 5 minutes; it is looked at after that, once.
    pub(super) const REVERTED_BY: Duration = Duration::from_secs(6 * 60);
    /// Rejections after which a person has to look.
    pub(super) const REJECTIONS_MAX: u32 = 3;
    /// The pauses after a rejection: a bank that denies a refund does not change its mind within seconds.
    pub(super) const REJECTED_PAUSES: [Duration; 2] =
        [Duration::from_secs(30), Duration::from_secs(5 * 60)];
    /// The longest that a gateway may ask us to stay away.
    const BUSY_MAX: Duration = Duration::from_secs(10 * 60);
    /// How often a gateway is tried that does not accept our credentials.
    pub(super) const MISCONFIGURED_PAUSE: Duration = Duration::from_secs(30);
    /// A page ends this long before the order's deadline, so that the last payment is known by then.
    pub const MARGIN_MAX: Duration = Duration::from_secs(3 * 60);

    /// The pause after so many requests without an answer.
    pub(super) fn pause(&self, unanswered: u32) -> Duration {
        self.backoff.delay(unanswered.saturating_sub(1))
    }

    /// The pause that a busy gateway asked for, within bounds.
    pub(super) fn busy(&self, after: Duration) -> Duration {
        after.clamp(self.pause(1), Self::BUSY_MAX)
    }

    /// The pause before the poll after so many, a tenth more or less: `spread` is 0 to 1.
    pub(super) fn poll(polls: u32, spread: f64) -> Duration {
        let doubled = Self::POLL_FIRST.saturating_mul(1 << polls.min(8));
        doubled.min(Self::POLL_MAX).mul_f64(0.9 + 0.2 * spread)
    }

    /// When the page of an order has to end: within the window, and before the order's deadline.
    pub(super) fn page_ends_at(&self, placed_at: Timestamp, at: Timestamp) -> Timestamp {
        let margin = Self::MARGIN_MAX.min(self.order_timeout / 5);
        let before_deadline = placed_at + self.order_timeout.saturating_sub(margin);
        match self.window {
            Some(window) => before_deadline.min(at + window),
            None => before_deadline,
        }
    }

    /// How long after its end a page is given up: the gateway may take that long to notice the last payment.
    pub(super) const fn page_grace(provider: Provider) -> Duration {
        match provider {
            Provider::Simulated => Duration::ZERO,
            Provider::Midtrans => Duration::from_secs(100),
        }
    }
}

impl Default for PaymentPolicy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(5),
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(30)),
            window: None,
            order_timeout: Duration::from_secs(15 * 60),
            routes: GatewayRoutes::default(),
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
