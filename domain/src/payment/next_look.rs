//! When a payment that asks nothing is looked at again.

use super::policy::PaymentPolicy;
use super::provider::Provider;
use super::state::{Payment, State};
use crate::clock::Timestamp;
use std::time::Duration;

/// Methods of which a bank may take the money back within minutes (Midtrans: Permata, Mandiri bill, counters).
const REVERTIBLE: [&str; 3] = ["bank_transfer", "echannel", "cstore"];

impl Payment {
    /// When the gateway is looked at next. None: never, unless somebody asks.
    pub(super) fn next_look(&self, at: Timestamp) -> Option<Timestamp> {
        match &self.state {
            State::AwaitingCustomer { .. } => {
                let poll = at + PaymentPolicy::poll(self.looks.polls, self.spread());
                Some(self.given_up_at().map_or(poll, |last| poll.min(last.max(at))))
            }
            State::InReview { .. } => {
                Some(at + PaymentPolicy::poll(self.looks.polls, self.spread()))
            }
            State::Approved => {
                let reverts = self.provider == Provider::Midtrans
                    && REVERTIBLE.contains(&self.method())
                    && self.looks.polls == 0;
                reverts.then_some(self.changed_at + PaymentPolicy::REVERTED_BY)
            }
            // What the gateway rejects to cancel may end by itself.
            State::Cancelling { .. } if self.waits_for_person() => {
                let after = PaymentPolicy::LATE_LOOKS.get(self.looks.polls as usize)?;
                Some(self.changed_at + *after)
            }
            // Money that was given back does not come again.
            State::Ended { .. } if self.had_page() && self.known.captured_minor == 0 => {
                let looks = PaymentPolicy::LATE_LOOKS;
                let after = looks.get(self.looks.polls as usize)?;
                Some(self.changed_at + *after)
            }
            State::Creating
            | State::Authorized
            | State::Capturing
            | State::Cancelling { .. }
            | State::Refunding { .. }
            | State::Ended { .. } => None,
        }
    }

    /// When a page is given up at which nobody has paid.
    pub(super) fn given_up_at(&self) -> Option<Timestamp> {
        self.page_ends_at.map(|end| end + PaymentPolicy::page_grace(self.provider))
    }

    /// True when a page that is asked for now would end too soon for its gateway.
    pub(super) fn is_too_late_for_page(&self, at: Timestamp) -> bool {
        let earliest_end = at + self.provider.page_time_min();
        self.page_ends_at.is_some_and(|ends_at| earliest_end > ends_at)
    }

    /// 0 to 1, by the order and the number of the poll: so that many payments are not looked at at once.
    fn spread(&self) -> f64 {
        let (high, low) = self.origin.order_id.0.as_u64_pair();
        let mixed =
            (high ^ low.rotate_left(self.looks.polls % 64)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        f64::from((mixed >> 32) as u32) / f64::from(u32::MAX)
    }

    /// True when something is due that nobody has under way.
    pub(super) fn is_due(&self, at: Timestamp) -> bool {
        self.due_at.is_some_and(|due_at| due_at <= at)
    }

    /// How long ago a look was made because of a notification; None: never.
    pub(super) fn notified_ago(&self, at: Timestamp) -> Option<Duration> {
        let notified_at = self.looks.notified_at?;
        Some((at - notified_at).to_std().unwrap_or_default())
    }
}
