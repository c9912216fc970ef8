//! What a command on a reservation comes to, before the batch moves the units.

use super::reservation::{Lines, Reservation};

/// What a command comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ReservationDecision {
    /// The order's outcome is what it was.
    Stands,
    /// The order's outcome is this from now on; the stock is not concerned.
    Record(Reservation),
    /// These lines are the order's: they are reserved.
    Reserve(Lines),
    /// These lines are the order's no more: they are available again.
    PutBack(Lines),
    /// These lines have left the warehouse.
    TakeOut(Lines),
    /// The command makes no sense.
    Impossible(&'static str),
}
