//! The gateway's ledger on SQLite, held against the one in memory.

use crate::contract;
use crate::scratch::Scratch;
use ordermill_actors::clock::Timestamp;
use ordermill_actors::gateway::memory::GatewayTables as MemoryLedger;
use ordermill_actors::gateway::{GatewayChange, GatewayReads, Said, SimulatedGateway, Sums};
use ordermill_actors::ids::OrderId;
use ordermill_actors::money::{Currency, Money};
use ordermill_actors::payment::{ChargeRequest, GatewayKey};
use ordermill_actors::ports::Store;
use ordermill_actors::runtime::service::{Batch, Outcome, Upkeep};
use ordermill_actors::testing::MemoryStore;
use ordermill_sqlite::gateway::{GatewayDatabase, GatewayTables, MIGRATIONS};
use ordermill_sqlite::{Database, SqliteStore};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

type Stores =
    (MemoryStore<MemoryLedger>, SqliteStore<SimulatedGateway, GatewayTables>, GatewayDatabase);

fn key(n: u128) -> GatewayKey {
    GatewayKey(Uuid::from_u128(n))
}

fn charge(n: u128, order: u128, amount: Money, method: &str) -> GatewayChange {
    let (key, order_id) = (key(n), OrderId(Uuid::from_u128(order)));
    GatewayChange::Charge(ChargeRequest { key, order_id, amount, method: method.to_owned() })
}

fn usd(minor: i64) -> Money {
    Money { minor, currency: Currency::USD }
}

fn yen(minor: i64) -> Money {
    Money { minor, currency: Currency::parse("JPY").unwrap() }
}

async fn open(scratch: &Scratch) -> Stores {
    let database = Database::open(&scratch.open(), "gateway", &MIGRATIONS).await.unwrap();
    let store = SqliteStore::new(database.clone(), GatewayTables);
    (MemoryStore::default(), store, GatewayDatabase(database))
}

/// Commits to both; the answers, which must be the same.
async fn commit(stores: &Stores, second: u64, changes: &[GatewayChange]) -> Vec<Outcome<Said>> {
    let batch = || Batch {
        service: Arc::new(SimulatedGateway::default()),
        changes: changes.to_vec(),
        upkeep: Upkeep::default(),
        at: Timestamp::UNIX_EPOCH + Duration::new(second, 123_456_000),
        world: contract::world(),
    };
    let memory = stores.0.commit(&batch()).await.unwrap();
    let sqlite = stores.1.commit(&batch()).await.unwrap();
    assert_eq!(sqlite.outcomes, memory.outcomes);
    assert!(sqlite.outbox.is_empty(), "a gateway says nothing by itself");
    sqlite.outcomes
}

async fn compare(memory: &impl GatewayReads, sqlite: &impl GatewayReads) {
    for n in 0..10 {
        assert_eq!(sqlite.entry(key(n)).await.unwrap(), memory.entry(key(n)).await.unwrap());
    }
    assert_eq!(sqlite.totals().await.unwrap(), memory.totals().await.unwrap());
}

#[tokio::test]
async fn the_books_are_the_same_in_memory_and_in_the_file_and_survive_it() {
    let scratch = Scratch::new();
    let stores = open(&scratch).await;
    assert_eq!(stores.2.totals().await.unwrap(), Default::default());
    let calls = [
        charge(0, 100, usd(500), "credit_card"),
        charge(1, 101, usd(700), "test_declined"),
        charge(2, 102, usd(11), "test_timeout_uncharged"),
        charge(3, 103, yen(120), "test_refund_fails"),
        GatewayChange::Void(key(4)),
        charge(5, 105, usd(13), "it's \"quoted\" 😀"),
    ];
    commit(&stores, 1, &calls).await;
    compare(&stores.0, &stores.2).await;
    let more = [
        charge(0, 100, usd(500), "credit_card"),
        GatewayChange::Void(key(2)),
        GatewayChange::Refund(key(3), yen(120)),
        charge(4, 104, usd(1), "credit_card"),
        GatewayChange::Refund(key(5), usd(13)),
        charge(6, 106, yen(7), "test_slow"),
        GatewayChange::Void(key(6)),
    ];
    commit(&stores, 2, &more).await;
    compare(&stores.0, &stores.2).await;

    let totals = stores.2.totals().await.unwrap();
    assert_eq!((totals.captures, totals.orders), (4, 4));
    let sums = Sums { captured_minor: 513, refunded_minor: 13 };
    assert_eq!(totals.sums[&Currency::USD], sums);

    let (memory, store, database) = stores;
    database.0.close().await;
    drop((store, database));
    let stores = open(&scratch).await;
    compare(&memory, &stores.2).await;
}

#[tokio::test]
async fn an_order_that_paid_twice_shows_in_the_totals() {
    let scratch = Scratch::new();
    let stores = open(&scratch).await;
    let twice = [charge(1, 7, usd(5), "credit_card"), charge(2, 7, yen(5), "credit_card")];
    commit(&stores, 1, &twice).await;
    let totals = stores.2.totals().await.unwrap();
    assert_eq!((totals.captures, totals.orders), (2, 1));
    compare(&stores.0, &stores.2).await;
}
