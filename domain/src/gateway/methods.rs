//! The gateway's treatment of a payment, by its method and its key.

use crate::payment::GatewayKey;
use std::sync::Arc;
use std::time::Duration;

/// Calls that `test_timeout_*` leaves unanswered: one call and its first repetition.
const SILENT_CALLS: u32 = 2;
/// How late `test_slow` is: longer than customers like, shorter than any sensible timeout.
const SLOW_ANSWER: Duration = Duration::from_secs(2);
/// Refunds that `test_refund_fails` refuses before it accepts one.
const REFUSED_REFUNDS: u32 = 5;

/// The payment methods that it treats differently.
pub const TEST_METHODS: [&str; 10] = [
    "test_declined",
    "test_timeout_charged",
    "test_timeout_uncharged",
    "test_slow",
    "test_refund_fails",
    "test_redirect",
    "test_redirect_silent",
    "test_redirect_late",
    "test_review",
    "test_refund_by_hand",
];

/// How the gateway behaves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GatewayPolicy {
    /// The share of payments that is declined, 0 to 1; the test methods are left out.
    pub failure_rate: f64,
    /// How long every answer takes, after its booking.
    pub latency: Duration,
    /// Base address of the pages at which customers pay, without a slash at its end.
    pub pages_url: Arc<str>,
}

impl GatewayPolicy {
    /// The address of the page under a key.
    pub(super) fn page_url(&self, key: GatewayKey) -> String {
        format!("{}/{key}", self.pages_url)
    }

    /// True when the payment under this key is declined.
    pub(super) fn declines(&self, key: GatewayKey) -> bool {
        fraction(key) < self.failure_rate
    }
}

/// A number from 0 up to, but not including, 1 that hangs on nothing but the key: splitmix64's
/// finaliser over the key's two halves, its upper 53 bits as a fraction.
fn fraction(key: GatewayKey) -> f64 {
    let (high, low) = key.0.as_u64_pair();
    let mut hash = high.rotate_left(32) ^ low;
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// A payment method, as far as the gateway treats it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Any real one.
    Ordinary,
    /// `test_declined`.
    Declined,
    /// `test_timeout_charged`.
    TimeoutCharged,
    /// `test_timeout_uncharged`.
    TimeoutUncharged,
    /// `test_slow`.
    Slow,
    /// `test_refund_fails`.
    RefundFails,
    /// `test_redirect`.
    Redirect,
    /// `test_redirect_silent`.
    RedirectSilent,
    /// `test_redirect_late`.
    RedirectLate,
    /// `test_review`.
    Review,
    /// `test_refund_by_hand`.
    RefundByHand,
}

impl Method {
    pub(super) fn named(name: &str) -> Self {
        match name {
            "test_declined" => Self::Declined,
            "test_timeout_charged" => Self::TimeoutCharged,
            "test_timeout_uncharged" => Self::TimeoutUncharged,
            "test_slow" => Self::Slow,
            "test_refund_fails" => Self::RefundFails,
            "test_redirect" => Self::Redirect,
            "test_redirect_silent" => Self::RedirectSilent,
            "test_redirect_late" => Self::RedirectLate,
            "test_review" => Self::Review,
            "test_refund_by_hand" => Self::RefundByHand,
            _ => Self::Ordinary,
        }
    }

    /// True when the payment is declined.
    pub(super) fn declines(self, key: GatewayKey, policy: &GatewayPolicy) -> bool {
        match self {
            Self::Ordinary => policy.declines(key),
            Self::Declined => true,
            Self::TimeoutCharged
            | Self::TimeoutUncharged
            | Self::Slow
            | Self::RefundFails
            | Self::Redirect
            | Self::RedirectSilent
            | Self::RedirectLate
            | Self::Review
            | Self::RefundByHand => false,
        }
    }

    /// True when the customer pays at a page.
    pub(super) fn needs_page(self) -> bool {
        matches!(self, Self::Redirect | Self::RedirectSilent | Self::RedirectLate)
    }

    /// True when the payment service is told what happens at the page.
    pub(super) fn notifies(self) -> bool {
        matches!(self, Self::Redirect | Self::RedirectLate)
    }

    /// True when the `nth` create under a key is lost on its way.
    pub(super) fn ignores(self, nth: u32) -> bool {
        self == Self::TimeoutUncharged && nth <= SILENT_CALLS
    }

    /// True when the `nth` create under a key, booked or not, gets no answer.
    pub(super) fn silent(self, nth: u32) -> bool {
        self == Self::TimeoutCharged && nth <= SILENT_CALLS
    }

    /// How long the answer to the `nth` create under a key is held back.
    pub(super) fn delay(self, nth: u32) -> Duration {
        if self == Self::Slow && nth == 1 { SLOW_ANSWER } else { Duration::ZERO }
    }

    /// True when the `nth` refund under a key fails.
    pub(super) fn refuses_refund(self, nth: u32) -> bool {
        self == Self::RefundFails && nth <= REFUSED_REFUNDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrderId;
    use uuid::Uuid;

    #[test]
    fn every_test_method_is_known() {
        for name in TEST_METHODS {
            assert_ne!(Method::named(name), Method::Ordinary, "{name}");
        }
    }

    #[test]
    fn about_the_rate_s_share_of_keys_is_declined_and_always_the_same() {
        let policy = |failure_rate| GatewayPolicy { failure_rate, ..GatewayPolicy::default() };
        let declined = |rate: f64| {
            let keys = (0..10_000_u128).map(|n| GatewayKey::of(OrderId(Uuid::from_u128(n))));
            keys.filter(|key| policy(rate).declines(*key)).count()
        };
        assert_eq!(declined(0.0), 0);
        assert_eq!(declined(1.0), 10_000);
        assert!((1_800..2_200).contains(&declined(0.2)), "{}", declined(0.2));
        assert_eq!(declined(0.2), declined(0.2));
        let sequential = (0..10_000).map(|n| GatewayKey(Uuid::from_u128(n)));
        let share = sequential.filter(|key| policy(0.2).declines(*key)).count();
        assert!((1_800..2_200).contains(&share), "{share}");
    }
}
