//! Asks the gateway again, under the same key.

use super::decide::{Decision, Now};
use super::state::{Payment, State};

/// Takes up what a process that ended may have left undone. If it was not lost after all, the gateway
/// answers the same twice.
pub(super) fn wake(payment: &Payment, now: Now<'_>) -> Decision {
    match payment.state {
        State::Charging { .. } | State::Reversing { .. } => Decision::ask(payment, now),
        State::Approved { .. }
        | State::Declined { .. }
        | State::Reversed { .. }
        | State::Forestalled => Decision::default(),
    }
}

/// Goes on after the pause that followed a question without an answer, unless the gateway was asked
/// again meanwhile.
pub(super) fn rested(payment: &Payment, attempt: u32, now: Now<'_>) -> Decision {
    if attempt == payment.attempts { wake(payment, now) } else { Decision::default() }
}
