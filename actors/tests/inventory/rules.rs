//! The rules: any commands, in any order, repeated and batched in any way.

use chrono::{DateTime, Duration};
use ordermill_actors::inventory::InventoryTables;
use ordermill_actors::testing::MemoryTables;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::expected::Expected;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{
    Adjustment, AdjustmentKey, AdjustmentOutcome, Change, Entry, Inventory, InventoryAnswer, Lines,
    MovementRow, Quantity, Reservation, StockRow,
};
use ordermill_domain::messages::{InventoryMessage, Kind, Message, Origin, Payload, StockLine};
use ordermill_domain::service::{Outcome, Service};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

const PRODUCTS: [&str; 4] = ["apple", "pear", "plum", "quince"];

fn origin(order: u128) -> Origin {
    let order_id = OrderId(Uuid::from_u128(order));
    Origin {
        order_id,
        flow: Default::default(),
        plan: Default::default(),
        request_id: None,
        traceparent: None,
        order: None,
    }
}

fn at(second: usize) -> Timestamp {
    DateTime::UNIX_EPOCH + Duration::seconds(second as i64) + Duration::nanoseconds(123_456_789)
}

fn change() -> impl Strategy<Value = Change> {
    let product = || prop::sample::select(&PRODUCTS[..]).prop_map(ProductId::from);
    let quantity = || (0..12_i64).prop_map(|units| Quantity::new(units).unwrap());
    let line =
        (product(), 1..5_u32).prop_map(|(product_id, quantity)| StockLine { product_id, quantity });
    let lines = prop::collection::vec(line, 1..4).prop_map(|lines| Lines::try_from(lines).unwrap());
    let origin = || (0..8_u128).prop_map(origin);
    prop_oneof![
        6 => (origin(), lines).prop_map(|(origin, lines)| Change::Reserve { origin, lines }),
        3 => origin().prop_map(|origin| Change::Release { origin }),
        3 => origin().prop_map(|origin| Change::Commit { origin }),
        2 => (product(), quantity())
            .prop_map(|(product_id, available)| Change::CreateProduct { product_id, available }),
        1 => (product(), quantity())
            .prop_map(|(product_id, available)| set(product_id, available, Expected::default())),
        2 => (0..6_u8, prop::collection::vec((product(), -6..9_i64), 1..4)).prop_map(adjust),
    ]
}

fn set(product_id: ProductId, available: Quantity, expected: Expected<u64>) -> Change {
    Change::SetAvailable { product_id, available, expected }
}

/// Keys are few, so that requests come again and keys are used again. 0 as a delta is no adjustment.
fn adjust((key, deltas): (u8, Vec<(ProductId, i64)>)) -> Change {
    let fingerprint = format!("{deltas:?}").into_bytes();
    let adjustments = deltas
        .into_iter()
        .filter(|(_, delta)| *delta != 0)
        .map(|(product_id, delta)| Adjustment { product_id, delta, reason: "counted".into() });
    let key = AdjustmentKey { key: key.to_string(), fingerprint };
    Change::Adjust { key, adjustments: adjustments.collect() }
}

struct DecidedBatch {
    answers: Vec<InventoryAnswer>,
    messages: Vec<Arc<Message>>,
    stock_writes: usize,
}

fn decide_all(tables: &mut InventoryTables, changes: &[Change], at: Timestamp) -> DecidedBatch {
    let rows = tables.load(&Inventory::keys(changes));
    let decided = Inventory.decide_batch(rows, changes, at);
    let written = decided.writes.stock.iter().chain(&decided.writes.new_stock);
    let products: BTreeSet<_> = written.clone().map(|row| row.product_id.clone()).collect();
    let stock_writes = written.count();
    assert_eq!(products.len(), stock_writes, "a row is written once a batch");
    for row in &decided.writes.stock {
        let before = &tables.stock[&row.product_id];
        assert_eq!(row.version, before.version + 1);
    }
    let moved: BTreeSet<_> =
        decided.writes.movements.iter().map(|row| row.stock.product_id.clone()).collect();
    assert_eq!(moved, products, "each row that is written is in the ledger");
    assert_eq!(moved.len(), decided.writes.movements.len(), "once");
    // The tables' CHECK holds that 0 <= reserved <= on_hand.
    tables.write(&decided.writes, at);
    let answers = decided.outcomes.into_iter().map(|outcome| match outcome {
        Outcome::Done(answer) => answer,
        Outcome::Refused => panic!("nothing is decided before"),
    });
    DecidedBatch { answers: answers.collect(), messages: decided.messages, stock_writes }
}

fn same_units(a: &StockRow, b: &StockRow) -> bool {
    (a.on_hand, a.reserved) == (b.on_hand, b.reserved)
}

fn json(messages: &[Arc<Message>]) -> Vec<&str> {
    messages.iter().map(|message| message.json()).collect()
}

/// The expected stock of each product, counted by an auditor who only watches.
#[derive(Default)]
struct Auditor {
    stocked: BTreeMap<ProductId, i64>,
    said: BTreeMap<OrderId, String>,
}

impl Auditor {
    /// One change has been decided by itself.
    fn watch(
        &mut self,
        before: &InventoryTables,
        after: &InventoryTables,
        change: &Change,
        decided: &DecidedBatch,
    ) {
        match change {
            Change::Reserve { origin, lines } => {
                self.reserved(before, after, origin.order_id, lines, decided);
                self.told(before, after, origin, decided);
            }
            Change::Release { origin } => {
                let committed = matches!(was(before, origin), Some(Reservation::Committed(_)));
                let kind =
                    if committed { Kind::InventoryCommitted } else { Kind::InventoryReleased };
                assert_eq!(decided.messages[0].kind(), kind, "an undo is answered as an undo");
                self.told(before, after, origin, decided);
            }
            Change::Commit { origin } => match was(before, origin) {
                None => assert!(matches!(decided.answers[0], InventoryAnswer::Impossible(_))),
                Some(_) => self.told(before, after, origin, decided),
            },
            Change::CreateProduct { product_id, .. } | Change::SetAvailable { product_id, .. } => {
                self.restocked(before, after, product_id, decided);
            }
            Change::Adjust { adjustments, .. } => {
                let products: BTreeSet<_> = adjustments.iter().map(|one| &one.product_id).collect();
                for product in products {
                    self.restocked(before, after, product, decided);
                }
                self.adjusted(before, after, adjustments, decided);
            }
        }
        self.count(after);
    }

    fn restocked(
        &mut self,
        before: &InventoryTables,
        after: &InventoryTables,
        product: &ProductId,
        decided: &DecidedBatch,
    ) {
        assert!(decided.messages.is_empty());
        let units =
            |tables: &InventoryTables| tables.stock.get(product).map_or(0, |row| row.on_hand);
        let stocked = units(after) - units(before);
        if tables_know(after, product) {
            *self.stocked.entry(product.clone()).or_default() += stocked;
        }
    }

    /// Checks that the units on hand have changed by the applied adjustments, and by nothing else.
    fn adjusted(
        &self,
        before: &InventoryTables,
        after: &InventoryTables,
        adjustments: &[Adjustment],
        decided: &DecidedBatch,
    ) {
        let InventoryAnswer::Adjusted { outcomes, replayed } = &decided.answers[0] else {
            assert_eq!(decided.answers[0], InventoryAnswer::KeyReused);
            assert_eq!(decided.stock_writes, 0);
            return;
        };
        if *replayed {
            assert_eq!(decided.stock_writes, 0, "a repeat changes nothing");
            return;
        }
        assert_eq!(outcomes.len(), adjustments.len());
        let mut expected = before.stock.clone();
        for (adjustment, outcome) in adjustments.iter().zip(outcomes) {
            let row = expected.get_mut(&adjustment.product_id);
            let fits = |row: &StockRow| row.available() + adjustment.delta >= 0;
            match (outcome, row) {
                (AdjustmentOutcome::UnknownProduct, None) => {}
                (AdjustmentOutcome::BelowReserved(told), Some(row)) => {
                    assert!(!fits(row) && same_units(told, row));
                }
                (AdjustmentOutcome::Adjusted(_), Some(row)) => {
                    assert!(fits(row));
                    row.on_hand += adjustment.delta;
                }
                other => panic!("{other:?}"),
            }
        }
        for (row, expected) in after.stock.values().zip(expected.values()) {
            assert!(same_units(row, expected));
        }
    }

    fn reserved(
        &self,
        before: &InventoryTables,
        after: &InventoryTables,
        order: OrderId,
        lines: &Lines,
        decided: &DecidedBatch,
    ) {
        if before.reservations.contains_key(&order) {
            assert_eq!(decided.stock_writes, 0, "decided once");
            return;
        }
        let available = |product: &ProductId| Some(before.stock.get(product)?.available());
        let short: Vec<_> = lines
            .iter()
            .filter(|line| available(&line.product_id) < Some(i64::from(line.quantity)))
            .collect();
        match &after.reservations[&order].reservation {
            Reservation::Reserved(taken) => assert!(short.is_empty() && taken == lines),
            Reservation::Refused(refusal) => {
                assert_eq!(decided.stock_writes, 0, "a refusal writes no stock");
                assert!(!short.is_empty(), "refused without need");
                assert_eq!(refusal.shortages.len(), short.len());
                for (shortage, line) in refusal.shortages.iter().zip(short) {
                    assert_eq!(shortage.product_id, line.product_id);
                    assert_eq!(shortage.requested, line.quantity);
                    assert_eq!(shortage.available, available(&line.product_id));
                }
                let unknown = refusal.shortages.iter().any(|short| short.available.is_none());
                assert_eq!(refusal.reason == "unknown_product", unknown);
            }
            Reservation::Committed(_) | Reservation::Released(_) => panic!("nobody asked for that"),
        }
    }

    /// A command was answered with the order's latest outcome: the same as before, to the letter, if
    /// nothing has happened since.
    fn told(
        &mut self,
        before: &InventoryTables,
        after: &InventoryTables,
        origin: &Origin,
        decided: &DecidedBatch,
    ) {
        let (InventoryAnswer::OutcomePublished(rows), [message]) =
            (&decided.answers[0], &decided.messages[..])
        else {
            panic!("a command is answered: {:?}", decided.answers)
        };
        for row in rows {
            assert_eq!(**row, after.stock[&row.product_id], "the row as it was committed");
        }
        if was(before, origin) == was(after, origin) {
            assert_eq!(self.said.get(&origin.order_id).map(String::as_str), Some(message.json()));
        }
        if let Some(Reservation::Released(_) | Reservation::Committed(_)) = was(before, origin) {
            assert_eq!(was(before, origin), was(after, origin), "final");
            assert_eq!(decided.stock_writes, 0);
        }
        let kind = match was(after, origin).unwrap() {
            Reservation::Reserved(_) => Kind::InventoryReserved,
            Reservation::Committed(_) => Kind::InventoryCommitted,
            Reservation::Released(_) => Kind::InventoryReleased,
            Reservation::Refused(_) => Kind::InventoryFailed,
        };
        let row = &after.reservations[&origin.order_id];
        assert_eq!((message.kind(), message.occurred_at), (kind, row.updated_at));
        self.said.insert(origin.order_id, message.json().to_owned());
    }

    /// Checks that stocked units are in stock or have left it, and that reserved units belong to orders.
    fn count(&self, tables: &InventoryTables) {
        let mut reserved: BTreeMap<&ProductId, i64> = BTreeMap::new();
        let mut left: BTreeMap<&ProductId, i64> = BTreeMap::new();
        for row in tables.reservations.values() {
            let (sums, lines) = match &row.reservation {
                Reservation::Reserved(lines) => (&mut reserved, lines),
                Reservation::Committed(lines) => (&mut left, lines),
                Reservation::Released(_) | Reservation::Refused(_) => continue,
            };
            for line in lines.iter() {
                *sums.entry(&line.product_id).or_default() += i64::from(line.quantity);
            }
        }
        for (product, row) in &tables.stock {
            let of = |sums: &BTreeMap<&ProductId, i64>| sums.get(product).copied().unwrap_or(0);
            assert_eq!(row.reserved, of(&reserved));
            assert_eq!(row.on_hand + of(&left), self.stocked[product]);
        }
    }
}

fn tables_know(tables: &InventoryTables, product: &ProductId) -> bool {
    tables.stock.contains_key(product)
}

/// Replaying a product's ledger gives its row at each version, up to the row as it is. Gives what
/// happened to it, in its order.
fn replayed(tables: &InventoryTables, product: &ProductId) -> Vec<Entry> {
    let rows: Vec<&MovementRow> =
        tables.movements.values().filter(|row| row.stock.product_id == *product).collect();
    let mut units = (0, 0);
    let mut entries = Vec::new();
    for (row, version) in rows.iter().zip(1..) {
        assert_eq!(row.stock.version, version, "no version is left out");
        assert_eq!(row.before(), units);
        assert!(!row.entries.is_empty());
        let mut shown = row.movements();
        shown.reverse();
        for (entry, movement) in row.entries.iter().zip(&shown) {
            let (on_hand, reserved) = entry.deltas();
            units = (units.0 + on_hand, units.1 + reserved);
            assert_eq!((movement.on_hand, movement.reserved), units);
            assert!(0 <= units.1 && units.1 <= units.0, "at no moment is it oversold");
        }
        assert_eq!((row.stock.on_hand, row.stock.reserved), units);
        entries.extend(row.entries.iter().cloned());
    }
    assert_eq!(rows.last().map(|row| &*row.stock), tables.stock.get(product));
    entries
}

fn was<'a>(tables: &'a InventoryTables, origin: &Origin) -> Option<&'a Reservation> {
    tables.reservations.get(&origin.order_id).map(|row| &row.reservation)
}

fn copy(tables: &InventoryTables) -> InventoryTables {
    InventoryTables {
        stock: tables.stock.clone(),
        reservations: tables.reservations.clone(),
        movements: tables.movements.clone(),
        adjusted: tables.adjusted.clone(),
    }
}

proptest! {
    #[test]
    fn the_stock_balances_and_a_batch_equals_its_changes_one_by_one(
        batches in prop::collection::vec(prop::collection::vec(change(), 1..12), 1..12),
    ) {
        let (mut batched, mut single) = (InventoryTables::default(), InventoryTables::default());
        let mut auditor = Auditor::default();
        for (second, changes) in batches.iter().enumerate() {
            let together = decide_all(&mut batched, changes, at(second));
            let mut messages = Vec::new();
            for (change, answer) in changes.iter().zip(&together.answers) {
                let before = copy(&single);
                let alone = decide_all(&mut single, std::slice::from_ref(change), at(second));
                auditor.watch(&before, &single, change, &alone);
                prop_assert_eq!(
                    std::mem::discriminant(answer), std::mem::discriminant(&alone.answers[0])
                );
                messages.extend(alone.messages);
            }
            prop_assert_eq!(json(&together.messages), json(&messages));
            prop_assert_eq!(&batched.reservations, &single.reservations);
            prop_assert_eq!(batched.stock.len(), single.stock.len());
            for (row, other) in batched.stock.values().zip(single.stock.values()) {
                prop_assert!(same_units(row, other));
            }
            for product in PRODUCTS.map(ProductId::from) {
                prop_assert_eq!(replayed(&batched, &product), replayed(&single, &product));
            }
            // Everybody is told the rows as the batch has left them.
            for answer in &together.answers {
                let rows = match answer {
                    InventoryAnswer::OutcomePublished(rows) => rows.clone(),
                    InventoryAnswer::Stocked(row) => vec![row.clone()],
                    InventoryAnswer::Adjusted { outcomes, replayed: false } => outcomes
                        .iter()
                        .filter_map(|outcome| match outcome {
                            AdjustmentOutcome::Adjusted(row) => Some(Arc::new(row.clone())),
                            _ => None,
                        })
                        .collect(),
                    InventoryAnswer::Adjusted { replayed: true, .. } | InventoryAnswer::KeyReused => Vec::new(),
                    InventoryAnswer::Exists | InventoryAnswer::NotFound | InventoryAnswer::Impossible(_) => Vec::new(),
                    InventoryAnswer::Stale(row) => panic!("any version is taken: {row:?}"),
                };
                prop_assert!(rows.iter().all(|row| **row == batched.stock[&row.product_id]));
            }
        }
    }

    #[test]
    fn lines_are_sorted_and_added_up(
        raw in prop::collection::vec((0..4_usize, 1..1_000_u32), 1..20),
    ) {
        let line = |(product, quantity): &(usize, u32)| StockLine {
            product_id: PRODUCTS[*product].into(), quantity: *quantity,
        };
        let lines = Lines::try_from(raw.iter().map(line).collect::<Vec<_>>()).unwrap();
        let products: Vec<_> = lines.products().collect();
        prop_assert!(products.is_sorted_by(|a, b| a < b));
        let units = |lines: &mut dyn Iterator<Item = u32>| lines.map(u64::from).sum::<u64>();
        prop_assert_eq!(
            units(&mut lines.iter().map(|line| line.quantity)),
            units(&mut raw.iter().map(|line| line.1))
        );
    }
}

#[test]
fn lines_that_ask_for_nothing_or_for_too_much_are_none() {
    let line = |quantity| StockLine { product_id: "apple".into(), quantity };
    assert!(Lines::try_from(vec![]).is_err());
    assert!(Lines::try_from(vec![line(1), line(0)]).is_err());
    assert!(Lines::try_from(vec![line(u32::MAX), line(1)]).is_err());
}

#[test]
fn after_an_undo_a_late_reservation_takes_nothing() {
    let mut tables = InventoryTables::default();
    let stock =
        Change::CreateProduct { product_id: "apple".into(), available: Quantity::new(10).unwrap() };
    let lines = vec![StockLine { product_id: "apple".into(), quantity: 3 }];
    let reserve = Change::Reserve { origin: origin(1), lines: lines.try_into().unwrap() };
    let release = Change::Release { origin: origin(1) };
    let decided = decide_all(&mut tables, &[stock, release, reserve], at(0));
    let said: Vec<_> = decided.messages.iter().map(|message| &message.payload).collect();
    assert!(matches!(
        said[..],
        [
            Payload::Inventory(InventoryMessage::Released),
            Payload::Inventory(InventoryMessage::Released)
        ]
    ));
    assert_eq!(decided.messages[0].event_id, decided.messages[1].event_id);
    assert_eq!(tables.stock[&ProductId::from("apple")].available(), 10);
}

#[test]
fn five_hundred_reservations_of_a_product_are_one_row_update() {
    let mut tables = InventoryTables::default();
    let product_id = ProductId::from("apple");
    let available = Quantity::new(400).unwrap();
    decide_all(&mut tables, &[Change::CreateProduct { product_id, available }], at(0));
    let reserve = |order| {
        let lines = vec![StockLine { product_id: "apple".into(), quantity: 1 }];
        Change::Reserve { origin: origin(order), lines: lines.try_into().unwrap() }
    };
    let changes: Vec<_> = (0..500).map(reserve).collect();
    let decided = decide_all(&mut tables, &changes, at(1));
    assert_eq!(decided.stock_writes, 1);
    let sold = decided.messages.iter().filter(|m| m.kind() == Kind::InventoryReserved).count();
    assert_eq!(sold, 400);
}

/// Somebody reads 10 units, four orders reserve one each, five units arrive: to set 15 now would make
/// four units out of nothing.
#[test]
fn a_stock_that_was_read_before_others_reserved_is_not_set() {
    let mut tables = InventoryTables::default();
    let apple = || ProductId::from("apple");
    let units = |units| Quantity::new(units).unwrap();
    let create = Change::CreateProduct { product_id: apple(), available: units(10) };
    decide_all(&mut tables, &[create], at(0));
    let read = tables.stock[&apple()].version;
    let reserve = |order| {
        let lines = vec![StockLine { product_id: apple(), quantity: 1 }];
        Change::Reserve { origin: origin(order), lines: lines.try_into().unwrap() }
    };
    let stale = || set(apple(), units(15), Expected::OneOf(vec![read]));
    // In the batch of the first order already: what it has not written yet makes another version.
    let decided = decide_all(&mut tables, &[reserve(1), stale()], at(1));
    assert!(matches!(&decided.answers[1], InventoryAnswer::Stale(row) if row.version == read + 1));
    decide_all(&mut tables, &[reserve(2), reserve(3), reserve(4)], at(2));
    let decided = decide_all(&mut tables, &[stale()], at(3));
    assert!(matches!(&decided.answers[0], InventoryAnswer::Stale(row) if row.version == read + 2));
    // As an adjustment it is right, whatever was reserved meanwhile.
    decide_all(&mut tables, &[adjust((1, vec![(apple(), 5)]))], at(4));
    let row = &tables.stock[&apple()];
    assert_eq!((row.on_hand, row.reserved, row.available()), (15, 4, 11));
    // Of two who have read the same version, one sets it.
    let read = Expected::OneOf(vec![row.version]);
    let both = [set(apple(), units(20), read.clone()), set(apple(), units(30), read)];
    let decided = decide_all(&mut tables, &both, at(5));
    assert!(matches!(
        decided.answers[..],
        [InventoryAnswer::Stocked(_), InventoryAnswer::Stale(_)]
    ));
    assert_eq!(tables.stock[&apple()].available(), 20);
}

#[test]
fn a_reservation_released_in_its_own_batch_is_in_the_ledger() {
    let mut tables = InventoryTables::default();
    let apple = || ProductId::from("apple");
    let create =
        Change::CreateProduct { product_id: apple(), available: Quantity::new(3).unwrap() };
    decide_all(&mut tables, &[create], at(0));
    let lines = vec![StockLine { product_id: apple(), quantity: 2 }];
    let reserve = Change::Reserve { origin: origin(1), lines: lines.try_into().unwrap() };
    decide_all(&mut tables, &[reserve, Change::Release { origin: origin(1) }], at(1));
    let order = origin(1).order_id;
    let expected = [Entry::Created(3), Entry::Reserved(2, order), Entry::Released(2, order)];
    assert_eq!(replayed(&tables, &apple()), expected);
}

#[test]
fn more_than_the_largest_stock_is_not_adjusted() {
    let mut tables = InventoryTables::default();
    let available = Quantity::new(Quantity::MAX).unwrap();
    decide_all(
        &mut tables,
        &[Change::CreateProduct { product_id: "apple".into(), available }],
        at(0),
    );
    for delta in [1, i64::MAX] {
        let decided = decide_all(&mut tables, &[adjust((1, vec![("apple".into(), delta)]))], at(1));
        let InventoryAnswer::Adjusted { outcomes, .. } = &decided.answers[0] else { panic!() };
        assert!(matches!(outcomes[..], [AdjustmentOutcome::AboveMaximum(_)]));
    }
    let decided = decide_all(&mut tables, &[adjust((1, vec![("apple".into(), i64::MIN)]))], at(2));
    let InventoryAnswer::Adjusted { outcomes, .. } = &decided.answers[0] else { panic!() };
    assert!(matches!(outcomes[..], [AdjustmentOutcome::BelowReserved(_)]));
    assert!(tables.adjusted.is_empty(), "a request that changed nothing leaves its key free");
}

#[test]
fn a_refused_adjustment_shows_the_version_that_its_batch_writes() {
    let mut tables = InventoryTables::default();
    let available = Quantity::new(15).unwrap();
    let create = Change::CreateProduct { product_id: "apple".into(), available };
    decide_all(&mut tables, &[create], at(0));
    let before = tables.stock[&"apple".into()].version;
    let import = adjust((1, vec![("apple".into(), 10), ("apple".into(), -1_000)]));
    let decided = decide_all(&mut tables, &[import], at(1));
    let InventoryAnswer::Adjusted { outcomes, .. } = &decided.answers[0] else { panic!() };
    let [AdjustmentOutcome::Adjusted(adjusted), AdjustmentOutcome::BelowReserved(refused)] =
        &outcomes[..]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!((adjusted.on_hand, adjusted.version), (25, before + 1));
    assert_eq!(refused, adjusted, "15 and 25 units are not the same version");
}
