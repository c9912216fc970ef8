//! Takes the money.

use super::decision::PaymentDecision;
use super::event::PaymentEvent;
use super::policy::Now;
use super::state::{Payment, State};
use crate::messages::{Origin, PaymentProcess};

/// The first command records the intent, then the gateway is asked; a repeated one hears the latest
/// outcome, or nothing new while the gateway is asked.
pub(super) fn process(
    payment: Option<&Payment>,
    origin: &Origin,
    intent: &PaymentProcess,
    now: Now<'_>,
) -> PaymentDecision {
    let Some(payment) = payment else {
        let (origin, intent) = (origin.clone(), intent.clone());
        return PaymentDecision::ask_upon(PaymentEvent::Begun { origin, intent }, now);
    };
    match payment.state {
        State::Charging { .. } | State::Reversing { .. } => PaymentDecision::default(),
        State::Approved { .. }
        | State::Declined { .. }
        | State::Reversed { .. }
        | State::Tombstoned => PaymentDecision::tell(),
    }
}
