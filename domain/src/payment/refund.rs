//! Gives the money back.

use super::decision::PaymentDecision;
use super::event::PaymentEvent;
use super::policy::Now;
use super::state::{Payment, State, Undo};
use crate::messages::Origin;

/// The answer is always `payment.reversed`, and only once it is true: at once where no money can be
/// held, else when the gateway has said so. Repeated while that is awaited, it has the gateway asked
/// at once instead of after its pause.
pub(super) fn refund(payment: Option<&Payment>, origin: &Origin, now: Now<'_>) -> PaymentDecision {
    let Some(payment) = payment else {
        return PaymentDecision::outcome(PaymentEvent::Tombstoned { origin: origin.clone() });
    };
    match &payment.state {
        State::Charging { .. } => {
            let undo = PaymentEvent::UndoBegun { undo: Undo::Void, transaction_id: None };
            PaymentDecision::ask_upon(undo, now)
        }
        State::Approved { transaction_id, .. } => {
            let transaction_id = Some(transaction_id.clone());
            let undo = PaymentEvent::UndoBegun { undo: Undo::Refund, transaction_id };
            PaymentDecision::ask_upon(undo, now)
        }
        State::Declined { .. } => {
            PaymentDecision::outcome(PaymentEvent::Reversed { refunded: None })
        }
        State::Reversing { .. } => PaymentDecision::ask(payment, now),
        State::Reversed { .. } | State::Tombstoned => PaymentDecision::tell(),
    }
}
