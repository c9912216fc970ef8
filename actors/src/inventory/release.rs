//! Release: the undo of a reservation.

use super::settle::Decision;
use super::{Reservation, Undone};
use crate::planted::{Bug, planted};

/// Decides an undo. Its answer is always that the order has no claim (any more), also where it had
/// none; only what has left the warehouse cannot be put back.
pub(super) fn release(current: Option<&Reservation>) -> Decision {
    match current {
        Some(Reservation::Reserved(lines)) => Decision::PutBack(lines.clone()),
        Some(Reservation::Refused(refusal)) => {
            Decision::Record(Reservation::Released(Undone::Refused(refusal.clone())))
        }
        None => Decision::Record(Reservation::Released(Undone::Nothing)),
        Some(Reservation::Released(Undone::Reserved(lines))) if planted(Bug::RestockTwice) => {
            Decision::PutBack(lines.clone())
        }
        Some(Reservation::Committed(_) | Reservation::Released(_)) => Decision::Stands,
    }
}
