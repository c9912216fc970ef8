//! Asks the gateway again, under the same key.

use super::decision::PaymentDecision;
use super::policy::Now;
use super::state::{Payment, State};

/// Takes up what a process that ended may have left undone. If it was not lost after all, the gateway
/// answers the same twice.
pub(super) fn resume(payment: &Payment, now: Now<'_>) -> PaymentDecision {
    match payment.state {
        State::Charging { .. } | State::Reversing { .. } => PaymentDecision::ask(payment, now),
        State::Approved { .. }
        | State::Declined { .. }
        | State::Reversed { .. }
        | State::Tombstoned => PaymentDecision::default(),
    }
}

/// Goes on after the pause that followed a question without an answer, unless the gateway was asked
/// again meanwhile.
pub(super) fn resume_after_pause(payment: &Payment, attempt: u32, now: Now<'_>) -> PaymentDecision {
    if attempt == payment.attempts { resume(payment, now) } else { PaymentDecision::default() }
}
