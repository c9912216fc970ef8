//! Reserve: what the stock covers is the order's, whole or not at all.

use super::decision::ReservationDecision;
use super::{Lines, Reservation};
use crate::ids::ProductId;
use crate::messages::{Refusal, Shortage};
use crate::planted::{Bug, planted};

/// Decides the order's reservation on the units that are available as the row stands
/// (`None`: unknown product).
pub(super) fn reserve(
    current: Option<&Reservation>,
    lines: &Lines,
    available: impl Fn(&ProductId) -> Option<i64>,
) -> ReservationDecision {
    match current {
        Some(Reservation::Reserved(_)) if planted(Bug::DropDedupe) => {
            ReservationDecision::Reserve(lines.clone())
        }
        Some(
            Reservation::Reserved(_)
            | Reservation::Committed(_)
            | Reservation::Released(_)
            | Reservation::Refused(_),
        ) => ReservationDecision::Stands,
        None => {
            let shortages = shortages(lines, available);
            if shortages.is_empty() || planted(Bug::StockFromMemory) {
                ReservationDecision::Reserve(lines.clone())
            } else {
                ReservationDecision::Record(Reservation::Refused(refusal(shortages)))
            }
        }
    }
}

/// Every line that the stock does not cover.
fn shortages(lines: &Lines, available: impl Fn(&ProductId) -> Option<i64>) -> Vec<Shortage> {
    let short = lines.iter().filter_map(|line| {
        let available = available(&line.product_id);
        let covered = available.is_some_and(|units| units >= i64::from(line.quantity));
        (!covered).then(|| Shortage {
            product_id: line.product_id.clone(),
            requested: line.quantity,
            available,
        })
    });
    short.collect()
}

fn refusal(shortages: Vec<Shortage>) -> Refusal {
    let unknown = shortages.iter().any(|shortage| shortage.available.is_none());
    let reason = if unknown { "unknown_product" } else { "insufficient_stock" };
    Refusal { reason: reason.to_owned(), shortages }
}
