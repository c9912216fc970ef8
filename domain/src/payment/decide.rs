//! The payment's decider. Pure.

use super::answer::answer;
use super::decision::{PaymentDecision, Turn};
use super::failed::failed;
use super::input::{GatewayAnswer, PaymentInput};
use super::notified::notified;
use super::policy::Now;
use super::requested::requested;
use super::state::{Asking, End, Payment, State};
use super::undo::undo;
use crate::messages::{Origin, PaymentProcess};
use crate::planted::{Bug, planted};

/// Decides. The same payment and input always come to the same.
pub fn decide(payment: Option<&Payment>, input: &PaymentInput, now: Now<'_>) -> PaymentDecision {
    match (payment, input) {
        (None, PaymentInput::Process(origin, intent)) => begin(origin, intent, now),
        (Some(payment), PaymentInput::Process(..)) => say_again(payment),
        (payment, PaymentInput::Undo(origin)) => undo(payment, origin, now),
        (payment, PaymentInput::Requested(request)) => requested(payment, request, now),
        (None, _) => PaymentDecision::default(),
        (Some(payment), PaymentInput::Answered(GatewayAnswer { attempt, result })) => {
            match result {
                Ok(stands) => answer(payment, *attempt, stands, now),
                Err(_) if planted(Bug::TimeoutIsDeclined) => {
                    let mut turn = Turn::on(payment, now);
                    turn.end(End::declined("timeout"), false);
                    turn.finish()
                }
                Err(error) => failed(payment, *attempt, error, now),
            }
        }
        (Some(payment), PaymentInput::Notified(received)) => {
            notified(payment, received.notification.claimed_minor, now)
        }
        (Some(payment), PaymentInput::PauseElapsed(attempt)) if *attempt != payment.attempts => {
            PaymentDecision::default()
        }
        (Some(payment), PaymentInput::PauseElapsed(_)) => match payment.asking {
            Some(asking) => ask(payment, asking, now),
            None => PaymentDecision::default(),
        },
        (Some(payment), PaymentInput::Resume) => resume(payment, now),
    }
}

/// The first command records the intent, then the gateway is asked.
fn begin(origin: &Origin, intent: &PaymentProcess, now: Now<'_>) -> PaymentDecision {
    let provider = now.policy.routes.provider(intent.total.currency);
    let ends_at = now.policy.page_ends_at(intent.placed_at, now.at);
    let mut payment = Payment::new(origin, now.at);
    payment.intent = Some(intent.clone());
    payment.provider = provider.unwrap_or_default();
    if !payment.provider.page_time_min().is_zero() {
        payment.page_ends_at = Some(ends_at);
    }
    let mut turn = Turn::first(payment, now);
    match provider {
        None => turn.end(End::declined("unsupported_currency"), false),
        Some(_) if turn.payment.is_too_late_for_page(now.at) => turn.end(End::Expired, false),
        Some(_) => turn.act_as(State::Creating),
    }
    turn.finish()
}

/// A repeated command hears the latest outcome, or the page, or nothing new while the gateway is asked.
fn say_again(payment: &Payment) -> PaymentDecision {
    match &payment.state {
        State::AwaitingCustomer { page, .. } => {
            PaymentDecision::tell(page.as_ref().and_then(|page| payment.page_message(page)))
        }
        State::Approved | State::Ended { .. } => PaymentDecision::tell(payment.outcome()),
        State::Creating
        | State::InReview { .. }
        | State::Authorized
        | State::Capturing
        | State::Cancelling { .. }
        | State::Refunding { .. } => PaymentDecision::default(),
    }
}

/// Takes up what a process that ended may have left undone, or looks because it is time. What was not lost after all
/// is asked twice, and answered the same.
fn resume(payment: &Payment, now: Now<'_>) -> PaymentDecision {
    match payment.asking {
        Some(asking) => ask(payment, asking, now),
        None if payment.is_due(now.at) => {
            let mut turn = Turn::on(payment, now);
            turn.payment.looks.polls += 1;
            turn.ask(Asking::Retrieve);
            turn.finish()
        }
        None => PaymentDecision::default(),
    }
}

fn ask(payment: &Payment, asking: Asking, now: Now<'_>) -> PaymentDecision {
    let mut turn = Turn::on(payment, now);
    let creates = payment.state == State::Creating && asking == Asking::Act;
    if creates && payment.is_too_late_for_page(now.at) {
        // A page that was asked for may be there: it is closed before the payment is given up.
        turn.act_as(State::Cancelling { end: End::Expired, late: false });
        return turn.finish();
    }
    if asking == Asking::Retrieve && payment.looks.again {
        turn.payment.looks.notified_at = Some(now.at);
    }
    turn.ask(asking);
    turn.finish()
}
