//! The shipping service's table on SQLite, held against the one in memory.

use crate::contract::on_both;
use crate::scratch::Scratch;
use ordermill_actors::clock::Timestamp;
use ordermill_actors::ids::OrderId;
use ordermill_actors::messages::{Address, Flow, Origin, Plan, Priority, ShippingSchedule};
use ordermill_actors::money::{Currency, Money};
use ordermill_actors::runtime::service::Outcome;
use ordermill_actors::shipping::{
    Answer, Change, Command, ShipmentReads, Shipping, ShippingMemory, UNDELIVERABLE_POSTAL_CODE,
};
use ordermill_actors::testing::MemoryStore;
use ordermill_sqlite::shipping::{MIGRATIONS, ShippingDatabase, ShippingTables};
use ordermill_sqlite::{Database, SqliteStore};
use std::time::Duration;
use uuid::Uuid;

/// Orders one to four; what becomes of them is told in [`story`].
const ORDERS: u128 = 4;

fn order(n: u128) -> OrderId {
    OrderId(Uuid::from_u128(n << 64 | 7))
}

fn at(seconds: usize) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::new(seconds as u64, 123_456_789)
}

fn change(n: u128, command: Command) -> Change {
    let (flow, plan) = (Flow::default(), Plan::default());
    Change { origin: Origin { order_id: order(n), flow, plan, request_id: None }, command }
}

fn schedule(n: u128, address: Option<Address>) -> Change {
    let total = Money { minor: 1_000, currency: Currency::parse("JPY").unwrap() };
    let wanted = ShippingSchedule { units: 7, address, priority: Priority::Express, total };
    change(n, Command::Schedule(wanted))
}

fn home() -> Option<Address> {
    Some(Address { name: Some("Zoë \"Z\" \u{1F600}\n".to_owned()), ..Address::default() })
}

fn nowhere() -> Option<Address> {
    let postal_code = Some(UNDELIVERABLE_POSTAL_CODE.to_owned());
    Some(Address { postal_code, ..Address::default() })
}

/// One order is delivered, one cancelled, one refused and then cancelled, one cancelled before it
/// is known. Everything comes twice.
fn story() -> Vec<Vec<Change>> {
    let batches = vec![
        vec![schedule(1, home()), schedule(2, None), change(4, Command::Cancel)],
        vec![schedule(3, nowhere()), change(1, Command::Dispatch), change(2, Command::Cancel)],
        vec![change(1, Command::Deliver), schedule(4, home()), change(3, Command::Cancel)],
        vec![change(1, Command::Cancel), change(2, Command::Dispatch), schedule(3, nowhere())],
    ];
    batches.into_iter().flat_map(|batch| [batch.clone(), batch]).collect()
}

#[tokio::test]
async fn shipments_are_the_same_as_in_memory_and_after_a_restart() {
    let scratch = Scratch::new();
    let directory = scratch.open();
    let service = Shipping::default();
    let model = MemoryStore::<ShippingMemory>::default();
    for (number, changes) in story().into_iter().enumerate() {
        // The file is opened anew for every batch.
        let database = Database::open(&directory, "shipping", &MIGRATIONS).await.unwrap();
        let store = SqliteStore::new(database.clone(), ShippingTables);
        on_both(&service, &model, &store, &changes, at(number)).await;
        let reads = ShippingDatabase(database.clone());
        for n in 1..=ORDERS + 1 {
            let shipment = reads.shipment(order(n)).await.unwrap();
            assert_eq!(shipment, model.shipment(order(n)).await.unwrap());
        }
        database.close().await;
    }
    let status = |n| model.with(|table| table.shipments[&order(n)].state.status());
    assert_eq!([1, 2, 3, 4].map(status), ["DELIVERED", "CANCELLED", "CANCELLED", "CANCELLED"]);
}

#[tokio::test]
async fn what_comes_too_early_leaves_no_row() {
    let scratch = Scratch::new();
    let database = Database::open(&scratch.open(), "shipping", &MIGRATIONS).await.unwrap();
    let store = SqliteStore::new(database.clone(), ShippingTables);
    let model = MemoryStore::<ShippingMemory>::default();
    let early = [change(1, Command::Dispatch), change(1, Command::Deliver)];
    let (outcomes, said) = on_both(&Shipping::default(), &model, &store, &early, at(0)).await;
    assert!(outcomes.iter().all(|o| matches!(o, Outcome::Done(Answer::Early(_)))), "{outcomes:?}");
    assert!(said.is_empty());
    assert_eq!(ShippingDatabase(database).shipment(order(1)).await.unwrap(), None);
}
