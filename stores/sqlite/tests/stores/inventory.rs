//! The inventory service's tables on SQLite, held against those in memory.

use crate::contract::on_both;
use crate::scratch::Scratch;
use ordermill_actors::clock::Timestamp;
use ordermill_actors::ids::{OrderId, ProductId};
use ordermill_actors::inventory::{
    self, Answer, Change, Inventory, InventoryReads, Lines, Quantity, StockRow, Writes,
};
use ordermill_actors::messages::{Flow, Origin, Plan, StockLine};
use ordermill_actors::ports::ReadError;
use ordermill_actors::runtime::service::Outcome;
use ordermill_actors::testing::MemoryStore;
use ordermill_sqlite::inventory::{InventoryDatabase, InventoryTables, MIGRATIONS};
use ordermill_sqlite::{DataDir, Database, SqliteStore, Tables};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

type Model = MemoryStore<inventory::InventoryTables>;

/// The last of them is never stocked.
const PRODUCTS: [&str; 5] = ["Äpfel \"süß\"", "10", "pear", "pear/2", "unknown"];
const ORDERS: u128 = 80;

fn order(n: u128) -> OrderId {
    OrderId(Uuid::from_u128(n << 64 | 7))
}

fn origin(n: u128) -> Origin {
    let (flow, plan) = (Flow::default(), Plan::default());
    Origin { order_id: order(n), flow, plan, request_id: None }
}

fn at(seconds: usize) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::new(seconds as u64, 123_456_789)
}

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

async fn open(directory: &DataDir) -> Database {
    Database::open(directory, "inventory", &MIGRATIONS).await.unwrap()
}

async fn assert_reads_are_the_same(model: &Model, real: &InventoryDatabase) {
    for n in 0..ORDERS {
        let read = real.reservation(order(n)).await.unwrap();
        assert_eq!(read, model.reservation(order(n)).await.unwrap());
    }
    for product in PRODUCTS.map(ProductId::from) {
        let read = real.stock(&product).await.unwrap();
        assert_eq!(read, model.stock(&product).await.unwrap());
        for (after, limit) in [(None, 3), (None, 9), (Some(&product), 2)] {
            let listed = real.list(after, limit).await.unwrap();
            assert_eq!(listed, model.list(after, limit).await.unwrap());
        }
    }
}

#[tokio::test]
async fn stock_and_reservations_are_the_same_as_in_memory_and_after_a_restart() {
    let scratch = Scratch::new();
    let directory = scratch.open();
    let model = Model::default();
    let mut next = anything();
    for number in 0..40 {
        let mut changes: Vec<Change> = (0..1 + number % 12).map(|_| next()).collect();
        if number == 0 {
            changes = PRODUCTS[..3].iter().map(|product| create(product, 20)).collect();
        }
        // The file is opened anew for every batch.
        let database = open(&directory).await;
        let store = SqliteStore::new(database.clone(), InventoryTables);
        on_both(&Inventory, &model, &store, &changes, at(number)).await;
        assert_reads_are_the_same(&model, &InventoryDatabase(database.clone())).await;
        database.close().await;
    }
    let count = |status: &str| {
        model.with(|tables| {
            tables.reservations.values().filter(|row| row.reservation.status() == status).count()
        })
    };
    for status in ["RESERVED", "COMMITTED", "RELEASED", "REFUSED"] {
        assert!(count(status) > 0, "the story has no {status} order");
    }
}

#[tokio::test]
async fn a_thousand_orders_of_the_last_unit_are_one_batch_and_one_sale() {
    let scratch = Scratch::new();
    let database = open(&scratch.open()).await;
    let store = SqliteStore::new(database.clone(), InventoryTables);
    let model = Model::default();
    on_both(&Inventory, &model, &store, &[create("pear", 1)], at(0)).await;
    let buyers: Vec<_> = (0..1_000).map(|n| reserve(n, &[("pear", 1)])).collect();
    let (outcomes, said) = on_both(&Inventory, &model, &store, &buyers, at(1)).await;
    let row = Arc::new(StockRow { product_id: "pear".into(), on_hand: 1, reserved: 1, version: 2 });
    let told = Outcome::Done(Answer::Told(vec![row]));
    assert!(outcomes.iter().all(|outcome| *outcome == told));
    assert_eq!(said.iter().filter(|said| said.contains("inventory.reserved")).count(), 1);
}

/// Writes rows as they are, whatever the service would have decided.
async fn write(database: &Database, writes: Writes) -> Result<(), ReadError> {
    let written = database.write(move |pool| async move {
        let mut conn = pool.acquire().await?;
        InventoryTables.write(&mut conn, &writes, at(0)).await
    });
    written.await
}

#[tokio::test]
async fn the_tables_refuse_what_no_batch_may_write() {
    let scratch = Scratch::new();
    let database = open(&scratch.open()).await;
    let row = |on_hand, reserved| {
        let product_id = ProductId::from("pear");
        vec![Arc::new(StockRow { product_id, on_hand, reserved, version: 1 })]
    };
    let update = |stock| Writes { stock, ..Writes::default() };
    let insert = |new_stock| Writes { new_stock, ..Writes::default() };

    assert!(write(&database, update(row(5, 0))).await.is_err(), "an update that finds no row");
    assert!(write(&database, insert(row(5, 6))).await.is_err(), "more reserved than there is");
    write(&database, insert(row(5, 5))).await.unwrap();
    assert!(write(&database, insert(row(9, 0))).await.is_err(), "an insert that finds a row");
    assert!(write(&database, update(row(4, 5))).await.is_err(), "oversold");
    assert!(write(&database, update(row(4, -1))).await.is_err(), "less than nothing reserved");

    let stock = InventoryDatabase(database).stock(&"pear".into()).await.unwrap().unwrap();
    assert_eq!((stock.on_hand, stock.reserved), (5, 5), "nothing of it was written");
}
