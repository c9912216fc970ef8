//! Events of a payment, and its state after them.

use super::state::{GatewayAttempts, Payment, PaymentStatus, State, Undo};
use crate::clock::Timestamp;
use crate::messages::{Origin, PaymentProcess};
use crate::money::Money;
use thiserror::Error;

/// An event of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentEvent {
    /// The money is asked for: the intent, recorded before the gateway hears of it.
    Begun {
        /// The order.
        origin: Origin,
        /// The amount to be paid, and how.
        intent: PaymentProcess,
    },
    /// The gateway is asked (again).
    Asked {
        /// When the question counts as lost.
        due_at: Timestamp,
    },
    /// The gateway captured the money.
    Approved {
        /// Its identifier of the capture.
        transaction_id: String,
    },
    /// The gateway refused.
    Declined {
        /// Its reason.
        reason: String,
    },
    /// It is to be undone. Only answers to later questions count.
    UndoBegun {
        /// How.
        undo: Undo,
        /// The gateway's identifier of the capture, where one is known.
        transaction_id: Option<String>,
    },
    /// The gateway holds no money any more.
    Reversed {
        /// The refunded amount.
        refunded: Option<Money>,
    },
    /// It was undone before it was asked for.
    Tombstoned {
        /// The order.
        origin: Origin,
    },
}

/// An event that cannot happen to a payment as it stands.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("a payment with status {status:?} cannot apply {event:?}")]
pub struct IllegalEvent {
    status: Option<PaymentStatus>,
    event: Box<PaymentEvent>,
}

/// The state of a payment after an event.
pub fn apply(
    payment: Option<Payment>,
    event: PaymentEvent,
    at: Timestamp,
) -> Result<Payment, IllegalEvent> {
    use PaymentEvent as E;
    let Some(mut payment) = payment else { return begin(event, at) };
    let status = Some(payment.status());
    payment.attempts += u32::from(matches!(event, E::Asked { .. }));
    payment.reversals += u32::from(matches!(event, E::Reversed { .. }));
    if !matches!(event, E::Asked { .. }) {
        payment.changed_at = at;
    }
    payment.state = match (payment.state, event) {
        (State::Charging { intent, asking }, E::Asked { due_at }) => {
            State::Charging { intent, asking: GatewayAttempts { due_at, ..asking } }
        }
        (State::Reversing { intent, undo, transaction_id, asking }, E::Asked { due_at }) => {
            let asking = GatewayAttempts { due_at, ..asking };
            State::Reversing { intent, undo, transaction_id, asking }
        }
        (State::Charging { intent, .. }, E::Approved { transaction_id }) => {
            State::Approved { intent, transaction_id }
        }
        (State::Charging { intent, .. }, E::Declined { reason }) => {
            State::Declined { intent, reason }
        }
        (
            State::Charging { intent, .. }
            | State::Approved { intent, .. }
            | State::Declined { intent, .. }
            | State::Reversing { intent, .. }
            | State::Reversed { intent, .. },
            E::UndoBegun { undo, transaction_id },
        ) => {
            // The `Asked` that follows at once says when.
            let asking = GatewayAttempts { since: payment.attempts + 1, due_at: at };
            State::Reversing { intent, undo, transaction_id, asking }
        }
        (State::Reversing { intent, transaction_id, .. }, E::Reversed { refunded }) => {
            State::Reversed { intent, transaction_id, refunded }
        }
        (State::Declined { intent, .. }, E::Reversed { refunded }) => {
            State::Reversed { intent, transaction_id: None, refunded }
        }
        (_, event) => return Err(IllegalEvent { status, event: Box::new(event) }),
    };
    Ok(payment)
}

fn begin(event: PaymentEvent, at: Timestamp) -> Result<Payment, IllegalEvent> {
    let (origin, state) = match event {
        PaymentEvent::Begun { origin, intent } => {
            // The first `Asked` follows at once and says when.
            (origin, State::Charging { intent, asking: GatewayAttempts { since: 1, due_at: at } })
        }
        PaymentEvent::Tombstoned { origin } => (origin, State::Tombstoned),
        event @ (PaymentEvent::Asked { .. }
        | PaymentEvent::Approved { .. }
        | PaymentEvent::Declined { .. }
        | PaymentEvent::UndoBegun { .. }
        | PaymentEvent::Reversed { .. }) => {
            return Err(IllegalEvent { status: None, event: Box::new(event) });
        }
    };
    let (attempts, reversals) = (0, 0);
    Ok(Payment { origin, attempts, reversals, state, created_at: at, changed_at: at })
}
