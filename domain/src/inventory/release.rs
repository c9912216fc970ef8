//! Release: the undo of a reservation.

use super::decision::ReservationDecision;
use super::{Reservation, Undone};
use crate::planted::{Bug, planted};

/// Decides an undo. Its answer is always that the order has no claim (any more), also where it had
/// none; only what has left the warehouse cannot be put back.
pub(super) fn release(current: Option<&Reservation>) -> ReservationDecision {
    match current {
        Some(Reservation::Reserved(lines)) => ReservationDecision::PutBack(lines.clone()),
        Some(Reservation::Refused(refusal)) => {
            ReservationDecision::Record(Reservation::Released(Undone::Refused(refusal.clone())))
        }
        None => ReservationDecision::Record(Reservation::Released(Undone::Nothing)),
        Some(Reservation::Released(Undone::Reserved(lines))) if planted(Bug::RestockTwice) => {
            ReservationDecision::PutBack(lines.clone())
        }
        Some(Reservation::Committed(_) | Reservation::Released(_)) => ReservationDecision::Stands,
    }
}
