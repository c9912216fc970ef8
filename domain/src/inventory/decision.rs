//! The decision on a reservation command. The batch then moves the units.

use super::reservation::{Lines, Reservation};

/// The decision on a reservation command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReservationDecision {
    /// The recorded outcome of the order is unchanged.
    Stands,
    /// Record this outcome. The stock does not change.
    Record(Reservation),
    /// Reserve these lines for the order.
    Reserve(Lines),
    /// Make these reserved lines available again.
    PutBack(Lines),
    /// Take these reserved lines out of the stock: they were shipped.
    TakeOut(Lines),
    /// The command contradicts the recorded outcome.
    Impossible(&'static str),
}
