//! The inventory service: stock that is never oversold, one reservation an order.

use crate::backend::Backend;
use crate::batches::{batch, insist, on_both};
use crate::records;
use crate::values::{AWKWARD, at, finer, order, origin};
use futures::future::join;
use ordermill_actors::inventory::{InventoryReads, InventoryTables, movements};
use ordermill_actors::testing::MemoryStore;
use ordermill_domain::expected::Expected;
use ordermill_domain::ids::ProductId;
use ordermill_domain::inventory::{
    Adjustment, AdjustmentKey, AdjustmentOutcome, Change, Entry, Inventory, InventoryAnswer, Lines,
    MovementRow, Quantity, StockRow,
};
use ordermill_domain::messages::StockLine;
use ordermill_domain::service::Outcome;
use std::sync::Arc;

type Model = MemoryStore<InventoryTables>;

/// The last of them is never stocked.
const PRODUCTS: [&str; 5] = [AWKWARD, "10", "pear", "pear/2", "unknown"];
const ORDERS: u128 = 80;
/// After so many batches the database is closed and opened again.
const LIFE: u64 = 10;

fn create(product: &str, units: i64) -> Change {
    let available = Quantity::new(units).unwrap();
    Change::CreateProduct { product_id: product.into(), available }
}

fn reserve(n: u128, lines: &[(&str, u32)]) -> Change {
    let line =
        |&(product, quantity): &(&str, u32)| StockLine { product_id: product.into(), quantity };
    let lines: Vec<StockLine> = lines.iter().map(line).collect();
    Change::Reserve { origin: origin(n), lines: Lines::try_from(lines).unwrap() }
}

fn set(product: &str, units: i64, expected: Expected<u64>) -> Change {
    let available = Quantity::new(units).unwrap();
    Change::SetAvailable { product_id: product.into(), available, expected }
}

fn adjust(key: &str, fingerprint: u64, deltas: &[(&str, i64)]) -> Change {
    let one = |&(product, delta): &(&str, i64)| Adjustment {
        product_id: product.into(),
        delta,
        reason: AWKWARD.into(),
    };
    let key = AdjustmentKey { key: key.into(), fingerprint: fingerprint.to_be_bytes().to_vec() };
    Change::Adjust { key, adjustments: deltas.iter().map(one).collect() }
}

fn row(product: &str, on_hand: i64, reserved: i64, version: u64) -> StockRow {
    StockRow { product_id: product.into(), on_hand, reserved, version }
}

/// Any changes, the same ones each time.
fn anything() -> impl FnMut() -> Change {
    let mut state: u64 = 7;
    let mut below = move |bound: u64| {
        // Knuth's linear congruential generator; its upper bits are the good ones.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    move || {
        let n = u128::from(below(ORDERS as u64));
        match below(14) {
            0..6 => {
                let mut line = || (PRODUCTS[(below(19) / 4) as usize], 1 + below(4) as u32);
                let lines = [line(), line()];
                reserve(n, &lines[..1 + (n % 2) as usize])
            }
            6..8 => Change::Release { origin: origin(n) },
            8..10 => Change::Commit { origin: origin(n) },
            10 => create(PRODUCTS[below(4) as usize], below(30) as i64),
            11 => {
                let expected = [Expected::default(), Expected::OneOf(vec![1 + below(20)])];
                let expected = expected[below(2) as usize].clone();
                set(PRODUCTS[below(5) as usize], below(30) as i64, expected)
            }
            _ => {
                let key = below(30);
                let mut one =
                    || (PRODUCTS[below(5) as usize], 1 + below(9) as i64 - 5 * below(2) as i64);
                let deltas = [one(), one()]
                    .map(|(product, delta)| (product, if delta == 0 { 9 } else { delta }));
                adjust(&key.to_string(), below(2), &deltas)
            }
        }
    }
}

async fn compare(model: &Model, store: &dyn InventoryReads) {
    for n in 0..ORDERS {
        let read = store.reservation(order(n)).await.unwrap();
        assert_eq!(read, model.reservation(order(n)).await.unwrap());
    }
    for product in PRODUCTS.map(ProductId::from) {
        let read = store.stock(&product).await.unwrap();
        assert_eq!(read, model.stock(&product).await.unwrap());
        for (after, limit) in [(None, 3), (None, 9), (Some(&product), 2)] {
            let listed = store.list(after, limit).await.unwrap();
            assert_eq!(listed, model.list(after, limit).await.unwrap());
        }
        for (before, limit) in [(None, 1_000), (None, 2), (Some(7), 3)] {
            let read = store.movements(&product, before, limit).await.unwrap();
            assert_eq!(read, model.movements(&product, before, limit).await.unwrap());
        }
    }
}

pub async fn stock_and_reservations_are_the_same_as_in_memory_and_after_a_restart(
    backend: &dyn Backend,
) {
    let model = Model::default();
    let mut next = anything();
    let mut opened = backend.inventory().await.unwrap();
    for number in 0..40 {
        let mut changes: Vec<Change> = (0..1 + number % 12).map(|_| next()).collect();
        if number == 0 {
            changes = PRODUCTS[..3].iter().map(|product| create(product, 20)).collect();
        }
        on_both(&Inventory, &model, &*opened.store, &changes, finer(number)).await;
        compare(&model, &*opened.reads).await;
        if number % LIFE == LIFE - 1 {
            backend.close().await;
            opened = backend.inventory().await.unwrap();
            compare(&model, &*opened.reads).await;
        }
    }
    let count = |status: &str| {
        model.with(|tables| {
            tables.reservations.values().filter(|row| row.reservation.status() == status).count()
        })
    };
    let sources = backend.sources().await;
    records::same(&model, sources.reservation).await;
    records::same_products(&model, &*sources.products.unwrap()).await;
    for status in ["RESERVED", "COMMITTED", "RELEASED", "REFUSED"] {
        assert!(count(status) > 0, "the story has no {status} order");
    }
}

pub async fn a_thousand_orders_of_the_last_unit_are_one_batch_and_one_sale(backend: &dyn Backend) {
    let opened = backend.inventory().await.unwrap();
    let model = Model::default();
    on_both(&Inventory, &model, &*opened.store, &[create("pear", 1)], at(0)).await;
    let buyers: Vec<_> = (0..1_000).map(|n| reserve(n, &[("pear", 1)])).collect();
    let (outcomes, said) = on_both(&Inventory, &model, &*opened.store, &buyers, at(1)).await;
    let told =
        Outcome::Done(InventoryAnswer::OutcomePublished(vec![Arc::new(row("pear", 1, 1, 2))]));
    assert!(outcomes.iter().all(|outcome| *outcome == told));
    assert_eq!(said.iter().filter(|said| said.contains("inventory.reserved")).count(), 1);
    assert_eq!(said.iter().filter(|said| said.contains("inventory.failed")).count(), 999);
    let mut statuses = Vec::new();
    for n in 0..1_000 {
        let row = opened.reads.reservation(order(n)).await.unwrap().unwrap();
        statuses.push(row.reservation.status());
    }
    assert_eq!(statuses[0], "RESERVED", "first come, first served");
    assert!(statuses[1..].iter().all(|status| *status == "REFUSED"));
}

pub async fn an_order_of_several_products_is_reserved_whole_or_not_at_all(backend: &dyn Backend) {
    let opened = backend.inventory().await.unwrap();
    let model = Model::default();
    let changes = [create("a", 5), create("b", 1), create("c", 5)];
    on_both(&Inventory, &model, &*opened.store, &changes, at(0)).await;
    let changes = [
        reserve(1, &[("a", 2), ("b", 1)]),
        reserve(2, &[("c", 1), ("b", 1), ("a", 1)]),
        reserve(3, &[("a", 3), ("c", 5)]),
        reserve(4, &[("a", 1), ("nowhere", 1)]),
    ];
    on_both(&Inventory, &model, &*opened.store, &changes, at(1)).await;
    let listed = opened.reads.list(None, 10).await.unwrap();
    assert_eq!(listed, [row("a", 5, 5, 2), row("b", 1, 1, 2), row("c", 5, 5, 2)]);
    // What one gives back another may have, in the same batch.
    let changes = [
        Change::Release { origin: origin(1) },
        reserve(5, &[("b", 1)]),
        Change::Commit { origin: origin(3) },
        Change::Commit { origin: origin(3) },
    ];
    on_both(&Inventory, &model, &*opened.store, &changes, at(2)).await;
    let listed = opened.reads.list(None, 10).await.unwrap();
    // The stock of b is what it was, and its units have moved.
    assert_eq!(listed, [row("a", 2, 0, 3), row("b", 1, 1, 3), row("c", 0, 0, 3)]);
    compare(&model, &*opened.reads).await;
}

pub async fn products_are_listed_in_the_order_of_their_bytes(backend: &dyn Backend) {
    let opened = backend.inventory().await.unwrap();
    // No language sorts like this; a page must end where the next begins, whatever the language.
    let products =
        [" ", "10", "9", "A", "Z", "_", "a", "a b", "a-b", "ab", "b", "z", "ä", "é", "\u{1F600}"];
    let changes: Vec<_> = products.iter().rev().map(|product| create(product, 1)).collect();
    on_both(&Inventory, &Model::default(), &*opened.store, &changes, at(0)).await;
    let mut listed: Vec<ProductId> = Vec::new();
    loop {
        let page = opened.reads.list(listed.last(), 3).await.unwrap();
        if page.is_empty() {
            break;
        }
        listed.extend(page.into_iter().map(|row| row.product_id));
    }
    assert_eq!(listed, products.map(ProductId::from));
    let after = ProductId::from("a");
    assert_eq!(opened.reads.list(Some(&after), 1).await.unwrap()[0].product_id, "a b".into());
    let after = ProductId::from("no such product");
    assert_eq!(opened.reads.list(Some(&after), 1).await.unwrap()[0].product_id, "z".into());
}

pub async fn five_hundred_reservations_of_hundred_products_are_one_batch(backend: &dyn Backend) {
    let opened = backend.inventory().await.unwrap();
    let model = Model::default();
    let product = |n: u128| format!("SKU-{:03}", n % 100);
    let stocked: Vec<_> = (0..100).map(|n| create(&product(n), 6)).collect();
    on_both(&Inventory, &model, &*opened.store, &stocked, at(0)).await;
    let orders = |range: std::ops::Range<u128>| -> Vec<Change> {
        range.map(|n| reserve(n, &[(&product(n), 1), (&product(n * 7 + 3), 1)])).collect()
    };
    for (second, changes) in [(1, orders(0..500)), (2, orders(0..500)), (3, orders(500..1_000))] {
        on_both(&Inventory, &model, &*opened.store, &changes, at(second)).await;
    }
    let releases: Vec<_> = (0..500).map(|n| Change::Release { origin: origin(n) }).collect();
    on_both(&Inventory, &model, &*opened.store, &releases, at(4)).await;
    let listed = opened.reads.list(None, 200).await.unwrap();
    assert_eq!(listed, model.list(None, 200).await.unwrap());
    assert!(listed.iter().all(|row| row.reserved >= 0 && row.reserved <= row.on_hand));
    for n in (0..1_000).step_by(37) {
        let read = opened.reads.reservation(order(n)).await.unwrap();
        assert_eq!(read, model.reservation(order(n)).await.unwrap());
    }
}

pub async fn the_largest_stock_is_counted_right(backend: &dyn Backend) {
    let opened = backend.inventory().await.unwrap();
    let model = Model::default();
    let largest = Quantity::MAX;
    let changes = [create("pear", largest), create("none", 0), reserve(1, &[("pear", u32::MAX)])];
    on_both(&Inventory, &model, &*opened.store, &changes, at(0)).await;
    let reserved = i64::from(u32::MAX);
    let stock = async |product: &str| opened.reads.stock(&product.into()).await.unwrap().unwrap();
    assert_eq!(stock("pear").await, row("pear", largest, reserved, 1), "one batch, one version");
    assert_eq!(stock("none").await, row("none", 0, 0, 1));
    let set = [set("pear", largest, Expected::default())];
    on_both(&Inventory, &model, &*opened.store, &set, at(1)).await;
    assert_eq!(stock("pear").await, row("pear", largest + reserved, reserved, 2));
    assert_eq!(opened.reads.stock(&"nowhere".into()).await.unwrap(), None);
}

pub async fn every_movement_is_in_the_ledger_under_the_version_that_it_made(backend: &dyn Backend) {
    let opened = backend.inventory().await.unwrap();
    let model = Model::default();
    for (second, changes) in [
        vec![create("pear", 10), create("plum", 1)],
        vec![reserve(1, &[("pear", 2)]), reserve(2, &[("pear", 3), ("plum", 1)])],
        vec![Change::Release { origin: origin(1) }, adjust("a", 1, &[("pear", -4)])],
        vec![Change::Commit { origin: origin(2) }, reserve(3, &[("plum", 1)])],
        vec![set("pear", 8, Expected::default())],
    ]
    .into_iter()
    .enumerate()
    {
        on_both(&Inventory, &model, &*opened.store, &changes, finer(second as u64)).await;
    }
    let ledger = |version, on_hand, reserved, entries: &[Entry]| MovementRow {
        stock: Arc::new(row("pear", on_hand, reserved, version)),
        at: at(version - 1),
        entries: entries.to_vec(),
    };
    let expected = [
        ledger(5, 8, 0, &[Entry::Set(5)]),
        ledger(4, 3, 0, &[Entry::Committed(3, order(2))]),
        ledger(3, 6, 3, &[Entry::Released(2, order(1)), Entry::Adjusted(-4, AWKWARD.into())]),
        ledger(2, 10, 5, &[Entry::Reserved(2, order(1)), Entry::Reserved(3, order(2))]),
        ledger(1, 10, 0, &[Entry::Created(10)]),
    ];
    let pear = ProductId::from("pear");
    assert_eq!(opened.reads.movements(&pear, None, 9).await.unwrap(), expected);
    assert_eq!(opened.reads.movements(&pear, Some(4), 2).await.unwrap(), expected[2..4]);
    assert_eq!(opened.reads.movements(&pear, Some(1), 2).await.unwrap(), []);
    assert_eq!(opened.reads.movements(&"quince".into(), None, 9).await.unwrap(), []);
    // Plum was sold out: the refusal has moved nothing.
    assert_eq!(opened.reads.movements(&"plum".into(), None, 9).await.unwrap().len(), 3);
}

pub async fn the_ledger_is_read_page_by_page(backend: &dyn Backend) {
    let opened = backend.inventory().await.unwrap();
    let model = Model::default();
    on_both(&Inventory, &model, &*opened.store, &[create("pear", 100)], at(0)).await;
    for (second, orders) in [(1, 0..30), (2, 30..31), (3, 31..60)] {
        let changes: Vec<_> = orders.map(|n| reserve(n, &[("pear", 1)])).collect();
        on_both(&Inventory, &model, &*opened.store, &changes, at(second)).await;
    }
    let pear = ProductId::from("pear");
    let whole = movements(&*opened.reads, &pear, None, 100).await.unwrap();
    assert_eq!(whole.len(), 61);
    assert!(whole.is_sorted_by(|a, b| a.place > b.place), "newest first");
    for (movement, reserved) in whole.iter().zip((0..=60).rev()) {
        assert_eq!((movement.on_hand, movement.reserved), (100, reserved));
    }
    for limit in [1, 7, 30, 61] {
        let mut read = Vec::new();
        loop {
            let before = read.last().map(|last: &ordermill_domain::inventory::Movement| last.place);
            let page = movements(&*opened.reads, &pear, before, limit).await.unwrap();
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            read.extend(page);
        }
        assert_eq!(read, whole, "in pages of {limit}");
    }
}

pub async fn stock_is_adjusted_once_a_key(backend: &dyn Backend) {
    let opened = backend.inventory().await.unwrap();
    let model = Model::default();
    on_both(&Inventory, &model, &*opened.store, &[create("pear", 1), create("plum", 5)], at(0))
        .await;
    let deltas = [("pear", 4), ("quince", 1), ("plum", -6), ("pear", -2)];
    let request = [adjust(AWKWARD, 1, &deltas)];
    let (first, _) = on_both(&Inventory, &model, &*opened.store, &request, at(1)).await;
    let pear = row("pear", 3, 0, 2);
    let outcomes = vec![
        AdjustmentOutcome::Adjusted(pear.clone()),
        AdjustmentOutcome::UnknownProduct,
        AdjustmentOutcome::BelowReserved(row("plum", 5, 0, 1)),
        AdjustmentOutcome::Adjusted(pear.clone()),
    ];
    let answer = |replayed| {
        Outcome::Done(InventoryAnswer::Adjusted { outcomes: outcomes.clone(), replayed })
    };
    assert_eq!(first, [answer(false)]);
    // The answer stays the same, whatever has happened since, and after a restart.
    on_both(&Inventory, &model, &*opened.store, &[reserve(1, &[("pear", 1)])], at(2)).await;
    backend.close().await;
    let opened = backend.inventory().await.unwrap();
    let other = adjust(AWKWARD, 2, &[("pear", 4)]);
    let again = [request[0].clone(), other, request[0].clone()];
    let (again, _) = on_both(&Inventory, &model, &*opened.store, &again, at(3)).await;
    assert_eq!(again, [answer(true), Outcome::Done(InventoryAnswer::KeyReused), answer(true)]);
    let stock = opened.reads.stock(&"pear".into()).await.unwrap();
    assert_eq!(stock, Some(row("pear", 3, 1, 3)));
    // A request that changes nothing leaves its key free for when it is possible.
    let plum = [adjust("b", 1, &[("plum", -6)]), adjust("c", 1, &[("plum", 1)])];
    on_both(&Inventory, &model, &*opened.store, &plum, at(4)).await;
    let (now, _) = on_both(&Inventory, &model, &*opened.store, &plum[..1], at(5)).await;
    let adjusted = AdjustmentOutcome::Adjusted(row("plum", 0, 0, 3));
    assert_eq!(
        now,
        [Outcome::Done(InventoryAnswer::Adjusted { outcomes: vec![adjusted], replayed: false })]
    );
    // A key is free again once it is forgotten.
    assert_eq!(opened.reads.forget_adjustment_keys(at(1), 9).await.unwrap(), 0);
    assert_eq!(
        opened.reads.forget_adjustment_keys(at(5), 1).await.unwrap(),
        1,
        "no more than asked"
    );
    assert_eq!(opened.reads.forget_adjustment_keys(at(5), 9).await.unwrap(), 1);
    assert_eq!(opened.reads.forget_adjustment_keys(at(6), 9).await.unwrap(), 1);
    assert_eq!(opened.reads.forget_adjustment_keys(at(6), 9).await.unwrap(), 0);
}

pub async fn only_one_of_two_adjustments_under_a_key_is_applied(backend: &dyn Backend) {
    let (one, other) = (backend.inventory().await.unwrap(), backend.inventory().await.unwrap());
    let model = Model::default();
    on_both(&Inventory, &model, &*one.store, &[create("pear", 1)], at(0)).await;
    let request = |second| batch(Inventory, vec![adjust("a", 1, &[("pear", 4)])], at(second));
    let (first, second) =
        join(insist(&*one.store, request(1)), insist(&*other.store, request(2))).await;
    let replayed = |outcomes: &[Outcome<InventoryAnswer>]| match outcomes {
        [Outcome::Done(InventoryAnswer::Adjusted { replayed, .. })] => *replayed,
        outcomes => panic!("{outcomes:?}"),
    };
    assert_ne!(replayed(&first), replayed(&second));
    assert_eq!(one.reads.stock(&"pear".into()).await.unwrap(), Some(row("pear", 5, 0, 2)));
}

pub async fn a_thousand_products_are_adjusted_in_one_batch(backend: &dyn Backend) {
    let opened = backend.inventory().await.unwrap();
    let model = Model::default();
    let products: Vec<String> = (0..1_000).map(|n| format!("SKU-{n:04}")).collect();
    let stocked: Vec<_> = products.iter().map(|product| create(product, 1)).collect();
    on_both(&Inventory, &model, &*opened.store, &stocked, at(0)).await;
    let deltas: Vec<_> = products.iter().map(|product| (product.as_str(), 9)).collect();
    let import = [adjust("import", 1, &deltas)];
    on_both(&Inventory, &model, &*opened.store, &import, at(1)).await;
    let listed = opened.reads.list(None, 2_000).await.unwrap();
    assert!(
        listed.len() == 1_000 && listed.iter().all(|row| (row.on_hand, row.version) == (10, 2))
    );
}

pub async fn old_movements_are_forgotten(backend: &dyn Backend) {
    let opened = backend.inventory().await.unwrap();
    let model = Model::default();
    for second in 0..6 {
        let pear = if second == 0 {
            create("pear", 9)
        } else {
            adjust(&second.to_string(), 1, &[("pear", 1)])
        };
        on_both(&Inventory, &model, &*opened.store, &[pear], at(second)).await;
    }
    let pear = ProductId::from("pear");
    let versions = async || {
        let rows = opened.reads.movements(&pear, None, 9).await.unwrap();
        rows.iter().map(|row| row.stock.version).collect::<Vec<_>>()
    };
    assert_eq!(opened.reads.forget_movements(at(0), 9).await.unwrap(), 0);
    assert_eq!(opened.reads.forget_movements(at(4), 1).await.unwrap(), 1, "no more than asked for");
    assert_eq!(versions().await, [6, 5, 4, 3, 2], "the oldest first");
    assert_eq!(opened.reads.forget_movements(at(4), 9).await.unwrap(), 3);
    assert_eq!(versions().await, [6, 5]);
    assert_eq!(opened.reads.forget_movements(at(4), 9).await.unwrap(), 0);
    assert_eq!(opened.reads.stock(&pear).await.unwrap(), Some(row("pear", 14, 0, 6)));
}
