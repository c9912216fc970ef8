//! A notification: the gateway is asked, at once, and its answer decides.

use super::decision::{PaymentDecision, Turn};
use super::policy::{Now, PaymentPolicy};
use super::state::{Asking, End, Payment, State};
use crate::planted::{Bug, planted};

/// What a notification claims is only kept for how patiently the gateway is asked again. A request that is under way
/// may have been answered before the notification was sent, so one more follows it.
pub(super) fn notified(payment: &Payment, claimed_minor: i64, now: Now<'_>) -> PaymentDecision {
    if payment.state == (State::Ended { end: End::Tombstoned }) {
        return PaymentDecision::default();
    }
    let mut turn = Turn::on(payment, now);
    if planted(Bug::TrustNotification) && claimed_minor == payment.due_minor() {
        turn.payment.known.captured_minor = claimed_minor;
        turn.payment.known.credited_minor = claimed_minor;
        turn.approve();
        return turn.finish();
    }
    let looks = &mut turn.payment.looks;
    let shown = payment.known.captured_minor.saturating_add(payment.known.held_minor);
    if claimed_minor > shown && claimed_minor > looks.claimed_minor {
        looks.claimed_minor = claimed_minor;
        looks.rechecks = 0;
    }
    if payment.asking.is_some() {
        looks.again = true;
        // What is under way goes on, and is answered first.
        return turn.finish_as_it_goes();
    }
    let ago = payment.notified_ago(now.at);
    match ago.and_then(|ago| PaymentPolicy::NOTIFIED_EVERY.checked_sub(ago)) {
        Some(pause) if !pause.is_zero() => {
            turn.payment.looks.again = true;
            turn.rest(Asking::Retrieve, pause);
        }
        _ => {
            turn.payment.looks.notified_at = Some(now.at);
            turn.ask(Asking::Retrieve);
        }
    }
    turn.finish()
}
