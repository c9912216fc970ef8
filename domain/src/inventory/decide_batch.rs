//! A batch is decided: each change decided in turn, on the rows that the transaction has locked.
//!
//! However many changes touch a product, its row is written once, and what everybody is told of it
//! is the row as the batch leaves it. A refusal writes no stock. Units only move by an entry of the
//! ledger ([`Entry`]), which is written with the row.

use super::adjust::adjust;
use super::commit::commit;
use super::decision::ReservationDecision;
use super::release::release;
use super::reserve::reserve;
use super::restock::{create, set_available};
use super::{
    Adjustment, AdjustmentKey, AdjustmentOutcome, AdjustmentRecord, Change, Entry, InventoryAnswer,
    Lines, MovementRow, Quantity, Reservation, ReservationRow, Rows, StockRow, Undone, Writes,
};
use crate::clock::Timestamp;
use crate::expected::Expected;
use crate::ids::{OrderId, ProductId};
use crate::messages::{Message, Origin};
use crate::planted::{Bug, planted};
use crate::service::{BatchDecision, Outcome};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The answer to a change, before it is known how the batch leaves the stock.
enum DraftAnswer<'a> {
    OutcomePublished(Option<Lines>),
    Stocked(&'a ProductId),
    /// The answer to the request with this key, here or in an earlier batch.
    Adjusted {
        key: &'a str,
        replayed: bool,
    },
    Final(InventoryAnswer),
}

/// Decides every change.
pub(super) fn decide_batch(
    rows: Rows,
    changes: &[Change],
    at: Timestamp,
) -> BatchDecision<InventoryAnswer, Writes> {
    let mut state = BatchState::open(rows, at);
    let drafts: Vec<DraftAnswer<'_>> = changes.iter().map(|change| state.decide(change)).collect();
    let BatchState { reservations, stock, mut adjusted, messages, .. } = state;
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
    let committed = close(stock, &mut writes, at);
    for slot in adjusted.values_mut().filter(|slot| !slot.stored) {
        slot.record.outcomes.iter_mut().for_each(|outcome| as_committed(outcome, &committed));
        writes.adjusted.push((slot.record.clone(), at));
    }
    let outcomes =
        drafts.into_iter().map(|draft| Outcome::Done(draft.answer(&committed, &adjusted)));
    BatchDecision { outcomes: outcomes.collect(), writes, messages }
}

/// The stock as the batch leaves it; what has moved is to be written, with its ledger row.
fn close(
    stock: BTreeMap<ProductId, StockSlot>,
    writes: &mut Writes,
    at: Timestamp,
) -> BTreeMap<ProductId, Arc<StockRow>> {
    let closed = stock.into_iter().map(|(product_id, slot)| {
        let version = slot.version();
        let StockSlot { stored, row, moved, entries } = slot;
        let row = Arc::new(StockRow { version, ..row });
        if moved {
            let rows = if stored { &mut writes.stock } else { &mut writes.new_stock };
            rows.push(row.clone());
            writes.movements.push(MovementRow { stock: row.clone(), at, entries });
        }
        (product_id, row)
    });
    closed.collect()
}

fn as_committed(outcome: &mut AdjustmentOutcome, committed: &BTreeMap<ProductId, Arc<StockRow>>) {
    if let AdjustmentOutcome::Adjusted(row) = outcome
        && let Some(row_as_committed) = committed.get(&row.product_id)
    {
        *row = StockRow::clone(row_as_committed);
    }
}

impl DraftAnswer<'_> {
    fn answer(
        self,
        committed: &BTreeMap<ProductId, Arc<StockRow>>,
        adjusted: &BTreeMap<String, AdjustmentSlot>,
    ) -> InventoryAnswer {
        match self {
            Self::Final(answer) => answer,
            Self::OutcomePublished(lines) => {
                let rows = lines.iter().flat_map(Lines::products);
                InventoryAnswer::OutcomePublished(
                    rows.filter_map(|product| committed.get(product).cloned()).collect(),
                )
            }
            Self::Stocked(product) => committed
                .get(product)
                .map_or(InventoryAnswer::NotFound, |row| InventoryAnswer::Stocked(row.clone())),
            Self::Adjusted { key, replayed } => {
                let outcomes = adjusted.get(key).map(|slot| slot.record.outcomes.clone());
                InventoryAnswer::Adjusted { outcomes: outcomes.unwrap_or_default(), replayed }
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
    /// The row is in the database.
    stored: bool,
    /// The row as the batch has it so far, but for its version.
    row: StockRow,
    /// The batch has moved its units.
    moved: bool,
    /// The entries of the batch so far.
    entries: Vec<Entry>,
}

impl StockSlot {
    fn new(row: StockRow, stored: bool) -> Self {
        Self { stored, row, moved: false, entries: Vec::new() }
    }

    /// The version that the row has once the batch is written.
    fn version(&self) -> u64 {
        self.row.version + u64::from(self.stored && self.moved)
    }

    /// The row as the batch has it so far, with the version that it has once it is written.
    fn row_so_far(&self) -> StockRow {
        StockRow { version: self.version(), ..self.row.clone() }
    }

    /// Moves units. Nothing else does.
    fn apply(&mut self, entry: Entry) {
        let (on_hand, reserved) = entry.deltas();
        self.row.on_hand += on_hand;
        self.row.reserved += reserved;
        self.moved = true;
        if planted(Bug::MovementNotWritten) && matches!(entry, Entry::Released(..)) {
            return;
        }
        self.entries.push(entry);
    }
}

/// A request to adjust stock, in the batch or an earlier one.
struct AdjustmentSlot {
    record: AdjustmentRecord,
    /// The record is in the database.
    stored: bool,
}

/// The rows while the batch goes through its changes.
struct BatchState {
    at: Timestamp,
    reservations: BTreeMap<OrderId, ReservationSlot>,
    stock: BTreeMap<ProductId, StockSlot>,
    adjusted: BTreeMap<String, AdjustmentSlot>,
    messages: Vec<Arc<Message>>,
}

impl BatchState {
    fn open(rows: Rows, at: Timestamp) -> Self {
        let order = |row| ReservationSlot { row, stored: true, written: false };
        let request = |record| AdjustmentSlot { record, stored: true };
        let Rows { reservations, stock, adjusted } = rows;
        Self {
            at,
            reservations: reservations.into_iter().map(|(id, row)| (id, order(row))).collect(),
            stock: stock.into_iter().map(|(id, row)| (id, StockSlot::new(row, true))).collect(),
            adjusted: adjusted.into_iter().map(|(key, row)| (key, request(row))).collect(),
            messages: Vec::new(),
        }
    }

    fn decide<'a>(&mut self, change: &'a Change) -> DraftAnswer<'a> {
        match change {
            Change::Reserve { origin, lines } => {
                let current = self.reservation(origin.order_id);
                let available = |product: &ProductId| self.row(product).map(StockRow::available);
                let decision = reserve(current, lines, available);
                self.apply_decision(origin, decision, Some(lines))
            }
            Change::Release { origin } => {
                let decision = release(self.reservation(origin.order_id));
                self.apply_decision(origin, decision, None)
            }
            Change::Commit { origin } => {
                let decision = commit(self.reservation(origin.order_id));
                self.apply_decision(origin, decision, None)
            }
            Change::CreateProduct { product_id, available } => self.create(product_id, *available),
            Change::SetAvailable { product_id, available, expected } => {
                self.set_available(product_id, *available, expected)
            }
            Change::Adjust { key, adjustments } => self.adjust(key, adjustments),
        }
    }

    fn reservation(&self, order: OrderId) -> Option<&Reservation> {
        self.reservations.get(&order).map(|slot| &slot.row.reservation)
    }

    fn row(&self, product: &ProductId) -> Option<&StockRow> {
        self.stock.get(product).map(|slot| &slot.row)
    }

    fn create<'a>(&mut self, product_id: &'a ProductId, available: Quantity) -> DraftAnswer<'a> {
        let Some(entry) = create(self.row(product_id), available) else {
            return DraftAnswer::Final(InventoryAnswer::Exists);
        };
        let mut slot = StockSlot::new(StockRow::empty(product_id.clone()), false);
        slot.apply(entry);
        self.stock.insert(product_id.clone(), slot);
        DraftAnswer::Stocked(product_id)
    }

    fn set_available<'a>(
        &mut self,
        product_id: &'a ProductId,
        available: Quantity,
        expected: &Expected<u64>,
    ) -> DraftAnswer<'a> {
        let Some(slot) = self.stock.get_mut(product_id) else {
            return DraftAnswer::Final(InventoryAnswer::NotFound);
        };
        // Earlier changes of this batch have raised the version already.
        let row = slot.row_so_far();
        if !expected.admits(&row.version) {
            return DraftAnswer::Final(InventoryAnswer::Stale(Arc::new(row)));
        }
        if let Some(entry) = set_available(&slot.row, available) {
            slot.apply(entry);
        }
        DraftAnswer::Stocked(product_id)
    }

    /// Adjusts each product as far as it is possible. A request of which nothing is applied leaves its
    /// key free: nothing has happened that a repeat could do twice.
    fn adjust<'a>(
        &mut self,
        key: &'a AdjustmentKey,
        adjustments: &[Adjustment],
    ) -> DraftAnswer<'a> {
        if let Some(earlier) = self.adjusted.get(&key.key) {
            return match earlier.record.key.fingerprint == key.fingerprint {
                true => DraftAnswer::Adjusted { key: &key.key, replayed: true },
                false => DraftAnswer::Final(InventoryAnswer::KeyReused),
            };
        }
        let outcomes: Vec<_> = adjustments.iter().map(|one| self.adjust_one(one)).collect();
        let is_applied = |outcome| matches!(outcome, &AdjustmentOutcome::Adjusted(_));
        if !outcomes.iter().any(is_applied) {
            return DraftAnswer::Final(InventoryAnswer::Adjusted { outcomes, replayed: false });
        }
        let record = AdjustmentRecord { key: key.clone(), outcomes };
        self.adjusted.insert(key.key.clone(), AdjustmentSlot { record, stored: false });
        DraftAnswer::Adjusted { key: &key.key, replayed: false }
    }

    fn adjust_one(&mut self, adjustment: &Adjustment) -> AdjustmentOutcome {
        let Adjustment { product_id, delta, reason } = adjustment;
        // Earlier changes of this batch have raised the version already.
        let row = self.stock.get(product_id).map(StockSlot::row_so_far);
        let outcome = adjust(row.as_ref(), *delta);
        if let AdjustmentOutcome::Adjusted(_) = outcome
            && let Some(slot) = self.stock.get_mut(product_id)
        {
            slot.apply(Entry::Adjusted(*delta, reason.clone()));
        }
        outcome
    }

    /// Does what was decided, and says the outcome that the order has then. `asked` are the lines
    /// that the command named itself.
    fn apply_decision<'a>(
        &mut self,
        origin: &Origin,
        decision: ReservationDecision,
        asked: Option<&Lines>,
    ) -> DraftAnswer<'a> {
        let order = origin.order_id;
        let (next, moved) = match decision {
            ReservationDecision::Stands => (None, None),
            ReservationDecision::Record(next) => (Some(next), None),
            ReservationDecision::Reserve(lines) => {
                self.each(&lines, |units| Entry::Reserved(units, order));
                (Some(Reservation::Reserved(lines.clone())), Some(lines))
            }
            ReservationDecision::PutBack(lines) => {
                self.each(&lines, |units| Entry::Released(units, order));
                (Some(Reservation::Released(Undone::Reserved(lines.clone()))), Some(lines))
            }
            ReservationDecision::TakeOut(lines) => {
                self.each(&lines, |units| Entry::Committed(units, order));
                (Some(Reservation::Committed(lines.clone())), Some(lines))
            }
            ReservationDecision::Impossible(cause) => {
                return DraftAnswer::Final(InventoryAnswer::Impossible(cause));
            }
        };
        if let Some(next) = next {
            self.record(order, next);
        }
        if let Some(slot) = self.reservations.get(&order) {
            self.messages.push(slot.row.answer(origin));
        }
        DraftAnswer::OutcomePublished(moved.or_else(|| asked.cloned()))
    }

    fn record(&mut self, order_id: OrderId, reservation: Reservation) {
        let row = ReservationRow { order_id, reservation, updated_at: self.at };
        let stored = self.reservations.get(&order_id).is_some_and(|slot| slot.stored);
        self.reservations.insert(order_id, ReservationSlot { row, stored, written: true });
    }

    /// Moves the units of each line. A product is never deleted, so that each line has its row.
    fn each(&mut self, lines: &Lines, entry: impl Fn(i64) -> Entry) {
        for line in lines.iter() {
            if let Some(slot) = self.stock.get_mut(&line.product_id) {
                slot.apply(entry(i64::from(line.quantity)));
            }
        }
    }
}
