//! Commit: the parcel has left, and its units with it.

use super::Reservation;
use super::decision::ReservationDecision;

/// Decides what leaves the warehouse. An order that was released or refused has nothing there: its
/// outcome stands, and whoever committed it learns so.
pub(super) fn commit(current: Option<&Reservation>) -> ReservationDecision {
    match current {
        Some(Reservation::Reserved(lines)) => ReservationDecision::TakeOut(lines.clone()),
        Some(Reservation::Committed(_) | Reservation::Released(_) | Reservation::Refused(_)) => {
            ReservationDecision::Stands
        }
        // A parcel is only dispatched once its stock was reserved, which is never forgotten.
        None => ReservationDecision::Impossible("commit for an order without a reservation"),
    }
}
