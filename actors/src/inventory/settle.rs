//! A batch is settled: each change decided in turn, on the rows that the transaction has locked.
//!
//! However many changes touch a product, its row is written once, and what everybody is told of it
//! is the row as the batch leaves it. A refusal writes no stock.

use super::commit::commit;
use super::release::release;
use super::reserve::reserve;
use super::restock::{create, set_available};
use super::{
    Answer, Change, Inventory, Lines, Reservation, ReservationRow, Rows, StockRow, Undone, Writes,
};
use crate::clock::Timestamp;
use crate::ids::{OrderId, ProductId};
use crate::messages::{Message, Origin};
use crate::planted::{Bug, planted};
use crate::runtime::service::{Outcome, Settlement};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a command comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
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

/// What a change was answered, before it is known how the batch leaves the stock.
enum Drafted<'a> {
    Told(Option<Lines>),
    Stocked(&'a ProductId),
    Final(Answer),
}

/// Decides every change.
pub(super) fn settle(rows: Rows, changes: &[Change], at: Timestamp) -> Settlement<Inventory> {
    let mut ledger = Ledger::open(rows, at);
    let drafts: Vec<Drafted<'_>> = changes.iter().map(|change| ledger.decide(change)).collect();
    let Ledger { reservations, stock, messages, .. } = ledger;
    let mut writes = Writes::default();
    for slot in reservations.into_values().filter(|slot| slot.written) {
        if planted(Bug::NoTombstone)
            && slot.row.reservation == Reservation::Released(Undone::Nothing)
        {
            continue;
        }
        let rows =
            if slot.stored { &mut writes.reservations } else { &mut writes.new_reservations };
        rows.push(slot.row);
    }
    let committed = close(stock, &mut writes);
    let outcomes = drafts.into_iter().map(|draft| Outcome::Done(draft.answer(&committed)));
    Settlement { outcomes: outcomes.collect(), writes, messages }
}

/// The stock as the batch leaves it; what has changed is to be written.
fn close(
    stock: BTreeMap<ProductId, StockSlot>,
    writes: &mut Writes,
) -> BTreeMap<ProductId, Arc<StockRow>> {
    let closed = stock.into_iter().map(|(product_id, StockSlot { stored, mut row })| {
        let written = match &stored {
            None => Some(&mut writes.new_stock),
            Some(before) if *before == row => None,
            Some(_) => {
                row.version += 1;
                Some(&mut writes.stock)
            }
        };
        let row = Arc::new(row);
        if let Some(rows) = written {
            rows.push(row.clone());
        }
        (product_id, row)
    });
    closed.collect()
}

impl Drafted<'_> {
    fn answer(self, committed: &BTreeMap<ProductId, Arc<StockRow>>) -> Answer {
        match self {
            Self::Final(answer) => answer,
            Self::Told(lines) => {
                let rows = lines.iter().flat_map(Lines::products);
                Answer::Told(rows.filter_map(|product| committed.get(product).cloned()).collect())
            }
            Self::Stocked(product) => {
                committed.get(product).map_or(Answer::NotFound, |row| Answer::Stocked(row.clone()))
            }
        }
    }
}

/// A reservation in the batch.
struct ReservationSlot {
    row: ReservationRow,
    /// The row is in the database.
    stored: bool,
    /// The batch has changed it.
    written: bool,
}

/// A product in the batch.
struct StockSlot {
    /// The row in the database.
    stored: Option<StockRow>,
    /// The row as the batch has it so far.
    row: StockRow,
}

/// The rows while the batch goes through its changes.
struct Ledger {
    at: Timestamp,
    reservations: BTreeMap<OrderId, ReservationSlot>,
    stock: BTreeMap<ProductId, StockSlot>,
    messages: Vec<Arc<Message>>,
}

impl Ledger {
    fn open(rows: Rows, at: Timestamp) -> Self {
        let order = |row| ReservationSlot { row, stored: true, written: false };
        let product = |row: StockRow| StockSlot { stored: Some(row.clone()), row };
        Self {
            at,
            reservations: rows.reservations.into_iter().map(|(id, row)| (id, order(row))).collect(),
            stock: rows.stock.into_iter().map(|(id, row)| (id, product(row))).collect(),
            messages: Vec::new(),
        }
    }

    fn decide<'a>(&mut self, change: &'a Change) -> Drafted<'a> {
        match change {
            Change::Reserve { origin, lines } => {
                let current = self.reservation(origin.order_id);
                let available = |product: &ProductId| self.row(product).map(StockRow::available);
                let decision = reserve(current, lines, available);
                self.follow(origin, decision, Some(lines))
            }
            Change::Release { origin } => {
                let decision = release(self.reservation(origin.order_id));
                self.follow(origin, decision, None)
            }
            Change::Commit { origin } => {
                let decision = commit(self.reservation(origin.order_id));
                self.follow(origin, decision, None)
            }
            Change::CreateProduct { product_id, available } => {
                let row = create(self.row(product_id), product_id, *available);
                self.restock(product_id, row).unwrap_or(Drafted::Final(Answer::Exists))
            }
            Change::SetAvailable { product_id, available } => {
                let row = set_available(self.row(product_id), *available);
                self.restock(product_id, row).unwrap_or(Drafted::Final(Answer::NotFound))
            }
        }
    }

    fn reservation(&self, order: OrderId) -> Option<&Reservation> {
        self.reservations.get(&order).map(|slot| &slot.row.reservation)
    }

    fn row(&self, product: &ProductId) -> Option<&StockRow> {
        self.stock.get(product).map(|slot| &slot.row)
    }

    fn restock<'a>(&mut self, id: &'a ProductId, row: Option<StockRow>) -> Option<Drafted<'a>> {
        let row = row?;
        match self.stock.get_mut(id) {
            Some(slot) => slot.row = row,
            None => {
                self.stock.insert(id.clone(), StockSlot { stored: None, row });
            }
        }
        Some(Drafted::Stocked(id))
    }

    /// Does what was decided, and says the outcome that the order has then. `asked` are the lines
    /// that the command named itself.
    fn follow<'a>(
        &mut self,
        origin: &Origin,
        decision: Decision,
        asked: Option<&Lines>,
    ) -> Drafted<'a> {
        let (next, moved) = match decision {
            Decision::Stands => (None, None),
            Decision::Record(next) => (Some(next), None),
            Decision::Reserve(lines) => {
                self.each(&lines, |row, units| row.reserved += units);
                (Some(Reservation::Reserved(lines.clone())), Some(lines))
            }
            Decision::PutBack(lines) => {
                self.each(&lines, |row, units| row.reserved -= units);
                (Some(Reservation::Released(Undone::Reserved(lines.clone()))), Some(lines))
            }
            Decision::TakeOut(lines) => {
                self.each(&lines, |row, units| {
                    row.on_hand -= units;
                    row.reserved -= units;
                });
                (Some(Reservation::Committed(lines.clone())), Some(lines))
            }
            Decision::Impossible(cause) => return Drafted::Final(Answer::Impossible(cause)),
        };
        if let Some(next) = next {
            self.record(origin.order_id, next);
        }
        if let Some(slot) = self.reservations.get(&origin.order_id) {
            self.messages.push(slot.row.answer(origin));
        }
        Drafted::Told(moved.or_else(|| asked.cloned()))
    }

    fn record(&mut self, order_id: OrderId, reservation: Reservation) {
        let row = ReservationRow { order_id, reservation, updated_at: self.at };
        let stored = self.reservations.get(&order_id).is_some_and(|slot| slot.stored);
        self.reservations.insert(order_id, ReservationSlot { row, stored, written: true });
    }

    /// Moves the units of each line. A product is never deleted, so that each line has its row.
    fn each(&mut self, lines: &Lines, move_units: impl Fn(&mut StockRow, i64)) {
        for line in lines.iter() {
            if let Some(slot) = self.stock.get_mut(&line.product_id) {
                move_units(&mut slot.row, i64::from(line.quantity));
            }
        }
    }
}
