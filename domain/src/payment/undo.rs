//! Gives the money back.

use super::attention::Attention;
use super::decision::{PaymentDecision, Turn};
use super::policy::{Now, PaymentPolicy};
use super::state::{Asking, End, Payment, State};
use crate::messages::Origin;

/// The answer is always `payment.reversed`, and only once it is true: at once where no money can be held, else when
/// the gateway has said so. Repeated while that is awaited, it has the gateway asked at once instead of after its
/// pause; not a gateway that cannot give the money back. After a rejection the gateway is looked at first, also then:
/// without that look, the same amount is rejected until a person is called, though less could be given back.
pub(super) fn undo(payment: Option<&Payment>, origin: &Origin, now: Now<'_>) -> PaymentDecision {
    let Some(payment) = payment else {
        let mut turn = Turn::first(Payment::new(origin, now.at), now);
        turn.end(End::Tombstoned, false);
        return turn.finish();
    };
    let mut turn = Turn::on(payment, now);
    match &payment.state {
        State::Ended { end: End::Reversed | End::Tombstoned } => {
            return PaymentDecision::tell(payment.outcome());
        }
        State::Ended { end: End::Declined { .. } | End::Expired | End::Lapsed { .. } } => {
            turn.end(End::Reversed, false);
        }
        State::Approved if payment.known.left_minor() > 0 => {
            turn.act_as(State::Refunding { end: End::Reversed, late: false });
        }
        State::Creating
        | State::AwaitingCustomer { .. }
        | State::InReview { .. }
        | State::Authorized
        | State::Capturing
        | State::Approved => {
            turn.act_as(State::Cancelling { end: End::Reversed, late: false });
        }
        State::Cancelling { .. } | State::Refunding { .. } => {
            let reversed = End::Reversed;
            turn.payment.state = match &payment.state {
                State::Cancelling { .. } => State::Cancelling { end: reversed, late: false },
                _ => State::Refunding { end: reversed, late: false },
            };
            match payment.attention {
                // Asked again and again by a saga that waits, it would never be a person's to do.
                Some(Attention::RefundByHand) => {}
                Some(Attention::CancelRejected) => {
                    // One more rejection leaves it with the person.
                    turn.payment.rejections = PaymentPolicy::REJECTIONS_MAX - 1;
                    turn.ask(Asking::Act);
                }
                _ => turn.ask(payment.asking.unwrap_or(Asking::Act)),
            }
        }
    }
    turn.finish()
}
