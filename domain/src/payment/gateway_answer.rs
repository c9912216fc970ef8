//! Takes in what came of asking the gateway, whether or not the payment has moved on since.

use super::charge::{Charge, Undone};
use super::decision::PaymentDecision;
use super::event::PaymentEvent;
use super::input::{GatewayAnswer, GatewayReply};
use super::policy::{Now, PaymentPolicy};
use super::state::{Payment, State, Undo};
use crate::money::Money;
use crate::planted::{Bug, planted};

/// No answer is never guessed from: the question is put again. An answer is never dropped because it
/// is late: what it says of money is true all the same.
pub(super) fn apply_gateway_answer(
    payment: &Payment,
    answer: &GatewayAnswer,
    now: Now<'_>,
) -> PaymentDecision {
    match &answer.result {
        Err(_) if planted(Bug::TimeoutIsDeclined) => declined(payment, "timeout"),
        Err(_) => retry_unanswered(payment, answer.attempt, now.policy),
        Ok(GatewayReply::Charge(Charge::Approved { transaction_id, amount })) => {
            captured(payment, transaction_id, *amount, now)
        }
        Ok(GatewayReply::Charge(Charge::Declined { reason })) => declined(payment, reason),
        Ok(GatewayReply::Undone(undone)) => undone_at(payment, answer.attempt, *undone),
    }
}

/// Nobody knows what was done: the same question again, after a pause. Only for the latest question:
/// the earlier ones have been put again already.
fn retry_unanswered(payment: &Payment, attempt: u32, policy: &PaymentPolicy) -> PaymentDecision {
    let latest = attempt == payment.attempts;
    match payment.state {
        State::Charging { .. } | State::Reversing { .. } if latest => {
            PaymentDecision::rest(policy.pause(payment.questions()))
        }
        State::Charging { .. }
        | State::Reversing { .. }
        | State::Approved { .. }
        | State::Declined { .. }
        | State::Reversed { .. }
        | State::Tombstoned => PaymentDecision::default(),
    }
}

fn captured(
    payment: &Payment,
    transaction_id: &str,
    amount: Money,
    now: Now<'_>,
) -> PaymentDecision {
    let transaction_id = transaction_id.to_owned();
    match &payment.state {
        State::Charging { intent, .. } if intent.total == amount || planted(Bug::AnyAmount) => {
            PaymentDecision::outcome(PaymentEvent::Approved { transaction_id })
        }
        // A wrong amount, or nobody wants the money any more. A void that is under way may have been
        // answered before this capture: only one that is asked from here on counts.
        State::Charging { .. }
        | State::Declined { .. }
        | State::Reversing { undo: Undo::Void, .. }
        | State::Reversed { .. } => {
            let transaction_id = Some(transaction_id);
            let undo = PaymentEvent::UndoBegun { undo: Undo::Void, transaction_id };
            PaymentDecision::ask_upon(undo, now)
        }
        // The capture that is known, and was known before its refund was asked for.
        State::Approved { .. } | State::Reversing { undo: Undo::Refund, .. } => {
            PaymentDecision::default()
        }
        // The gateway was never asked.
        State::Tombstoned => PaymentDecision::default(),
    }
}

fn declined(payment: &Payment, reason: &str) -> PaymentDecision {
    match payment.state {
        State::Charging { .. } => {
            PaymentDecision::outcome(PaymentEvent::Declined { reason: reason.to_owned() })
        }
        // A payment that is being undone stays so. In the other states the outcome is known already.
        State::Reversing { .. }
        | State::Approved { .. }
        | State::Declined { .. }
        | State::Reversed { .. }
        | State::Tombstoned => PaymentDecision::default(),
    }
}

fn undone_at(payment: &Payment, attempt: u32, undone: Undone) -> PaymentDecision {
    match payment.state {
        State::Reversing { asking, .. } if attempt >= asking.since => {
            PaymentDecision::outcome(PaymentEvent::Reversed { refunded: undone.refunded })
        }
        // Asked before a capture that is known since, or said already.
        State::Reversing { .. }
        | State::Charging { .. }
        | State::Approved { .. }
        | State::Declined { .. }
        | State::Reversed { .. }
        | State::Tombstoned => PaymentDecision::default(),
    }
}
