//! The inventory service: stock that is never oversold, one reservation an order.

use crate::backend::Backend;
use crate::batches::on_both;
use crate::records;
use crate::values::{AWKWARD, at, finer, order, origin};
use ordermill_actors::ids::ProductId;
use ordermill_actors::inventory::{
    Answer, Change, Inventory, InventoryReads, InventoryTables, Lines, Quantity, StockRow,
};
use ordermill_actors::messages::StockLine;
use ordermill_actors::runtime::service::Outcome;
use ordermill_actors::testing::MemoryStore;
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
        match below(12) {
            0..6 => {
                let mut line = || (PRODUCTS[(below(19) / 4) as usize], 1 + below(4) as u32);
                let lines = [line(), line()];
                reserve(n, &lines[..1 + (n % 2) as usize])
            }
            6..8 => Change::Release { origin: origin(n) },
            8..10 => Change::Commit { origin: origin(n) },
            10 => create(PRODUCTS[below(4) as usize], below(30) as i64),
            _ => Change::SetAvailable {
                product_id: PRODUCTS[below(5) as usize].into(),
                available: Quantity::new(below(30) as i64).unwrap(),
            },
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
    }
}

pub async fn stock_and_reservations_are_the_same_as_in_memory_and_after_a_restart(
    backend: &dyn Backend,
) {
    let model = Model::default();
    let mut next = anything();
    let mut opened = backend.inventory().await;
    for number in 0..40 {
        let mut changes: Vec<Change> = (0..1 + number % 12).map(|_| next()).collect();
        if number == 0 {
            changes = PRODUCTS[..3].iter().map(|product| create(product, 20)).collect();
        }
        on_both(&Inventory, &model, &*opened.store, &changes, finer(number)).await;
        compare(&model, &*opened.reads).await;
        if number % LIFE == LIFE - 1 {
            backend.close().await;
            opened = backend.inventory().await;
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
    let opened = backend.inventory().await;
    let model = Model::default();
    on_both(&Inventory, &model, &*opened.store, &[create("pear", 1)], at(0)).await;
    let buyers: Vec<_> = (0..1_000).map(|n| reserve(n, &[("pear", 1)])).collect();
    let (outcomes, said) = on_both(&Inventory, &model, &*opened.store, &buyers, at(1)).await;
    let told = Outcome::Done(Answer::Told(vec![Arc::new(row("pear", 1, 1, 2))]));
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
    let opened = backend.inventory().await;
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
    // The stock of b is what it was: its row is not written.
    assert_eq!(listed, [row("a", 2, 0, 3), row("b", 1, 1, 2), row("c", 0, 0, 3)]);
    compare(&model, &*opened.reads).await;
}

pub async fn products_are_listed_in_the_order_of_their_bytes(backend: &dyn Backend) {
    let opened = backend.inventory().await;
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
    let opened = backend.inventory().await;
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
    let opened = backend.inventory().await;
    let model = Model::default();
    let largest = Quantity::MAX;
    let changes = [create("pear", largest), create("none", 0), reserve(1, &[("pear", u32::MAX)])];
    on_both(&Inventory, &model, &*opened.store, &changes, at(0)).await;
    let reserved = i64::from(u32::MAX);
    let stock = async |product: &str| opened.reads.stock(&product.into()).await.unwrap().unwrap();
    assert_eq!(stock("pear").await, row("pear", largest, reserved, 1), "one batch, one version");
    assert_eq!(stock("none").await, row("none", 0, 0, 1));
    let available = Quantity::new(largest).unwrap();
    let set = Change::SetAvailable { product_id: "pear".into(), available };
    on_both(&Inventory, &model, &*opened.store, &[set], at(1)).await;
    assert_eq!(stock("pear").await, row("pear", largest + reserved, reserved, 2));
    assert_eq!(opened.reads.stock(&"nowhere".into()).await.unwrap(), None);
}
