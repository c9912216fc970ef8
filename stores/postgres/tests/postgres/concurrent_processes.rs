//! Several processes on one database: they wait for each other, and never in a circle; what one has
//! decided on what the other has changed since is refused; nothing is sold twice.

use crate::backend::{PostgresBackend, next_owner};
use futures::future::join_all;
use ordermill_actors::ports::{CommitError, Database};
use ordermill_actors::registry::OpenDatabases;
use ordermill_contract::Backend;
use ordermill_contract::batches::{batch, insist};
use ordermill_contract::order::scenarios::{learn, placed};
use ordermill_contract::values::{at, order, origin};
use ordermill_domain::inventory::{Change, Inventory, Lines, Quantity, Reservation};
use ordermill_domain::messages::StockLine;
use ordermill_domain::order::facts::Fact;
use ordermill_domain::order::{Order, Step};
use ordermill_domain::service::Outcome;
use ordermill_postgres::inventory::{MIGRATIONS, SCHEMA};
use sqlx::Connection;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Processes that write at the same time: more than any shop of two cores runs.
const WRITERS: u128 = 8;
const BATCHES: u128 = 25;
/// Orders in a batch.
const ORDERS: u128 = 20;
const PRODUCTS: u128 = 12;
/// Units of each product: far fewer than are asked for.
const UNITS: i64 = 150;

fn product(n: u128) -> String {
    format!("SKU-{:02}", n % PRODUCTS)
}

/// What a writer does with an order of its own: most are reserved, some given back, some shipped. The
/// products stand in another order each time.
fn changes(writer: u128, batch: u128) -> Vec<Change> {
    let number = |n: u128| (writer * BATCHES + batch) * ORDERS + n;
    (0..ORDERS)
        .map(|n| {
            let id = number(n);
            let earlier = origin(number(n).saturating_sub(ORDERS));
            match n % 5 {
                3 if batch > 0 => Change::Release { origin: earlier },
                4 if batch > 0 => Change::Commit { origin: earlier },
                _ => {
                    let line = |step: u128| StockLine {
                        product_id: product(id * 7 + step * (5 + writer)).as_str().into(),
                        quantity: 1,
                    };
                    let lines = Lines::try_from(vec![line(2), line(0), line(1)]).unwrap();
                    Change::Reserve { origin: origin(id), lines }
                }
            }
        })
        .collect()
}

async fn write_all(writer: u128, store: Arc<dyn Database<Inventory>>, waits: Arc<AtomicUsize>) {
    for n in 0..BATCHES {
        let batch = batch(Inventory, changes(writer, n), at(1));
        while let Err(error) = store.commit(&batch).await {
            assert!(matches!(error, CommitError::Unavailable(_)), "{error}");
            waits.fetch_add(1, Relaxed);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn eight_processes_sell_no_unit_twice_and_wait_for_each_other_in_no_circle() {
    let backend = PostgresBackend::new().await;
    let opened = backend.inventory().await.unwrap();
    let stocked = (0..PRODUCTS).map(|n| Change::CreateProduct {
        product_id: product(n).as_str().into(),
        available: Quantity::new(UNITS).unwrap(),
    });
    opened.store.commit(&batch(Inventory, stocked.collect(), at(0))).await.unwrap();
    let waits = Arc::new(AtomicUsize::new(0));
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let store = backend.inventory().await.unwrap().store;
        writers.push(tokio::spawn(write_all(writer, store, waits.clone())));
    }
    for writer in writers {
        writer.await.unwrap();
    }

    // The records reconcile: what the rows of the stock say is what the reservations hold.
    let (mut held, mut shipped) = (BTreeMap::new(), BTreeMap::new());
    for n in 0..WRITERS * BATCHES * ORDERS {
        let Some(row) = opened.reads.reservation(order(n)).await.unwrap() else { continue };
        let (lines, sums) = match &row.reservation {
            Reservation::Reserved(lines) => (lines, &mut held),
            Reservation::Committed(lines) => (lines, &mut shipped),
            Reservation::Released(_) | Reservation::Refused(_) => continue,
        };
        for line in lines.iter() {
            *sums.entry(line.product_id.clone()).or_default() += i64::from(line.quantity);
        }
    }
    let rows = opened.reads.list(None, 100).await.unwrap();
    assert_eq!(rows.len(), PRODUCTS as usize);
    for row in rows {
        let sum = |sums: &BTreeMap<_, i64>| sums.get(&row.product_id).copied().unwrap_or(0);
        assert_eq!((row.reserved, row.on_hand), (sum(&held), UNITS - sum(&shipped)), "{row:?}");
        assert!(row.available() >= 0, "oversold: {row:?}");
    }
    assert!(shipped.values().sum::<i64>() > 0, "the story ships nothing");

    backend.close().await;
    let mut conn = backend.scratch().connect().await;
    let deadlocks: i64 = sqlx::query_scalar(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!((deadlocks, waits.load(Relaxed)), (0, 0), "deadlocks, and batches tried again");
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn the_last_unit_is_sold_once_by_however_many_processes() {
    let backend = PostgresBackend::new().await;
    let opened = backend.inventory().await.unwrap();
    let create = |n: u128| Change::CreateProduct {
        product_id: product(n).as_str().into(),
        available: Quantity::new(1).unwrap(),
    };
    let stocked = (0..10).map(create).collect();
    opened.store.commit(&batch(Inventory, stocked, at(0))).await.unwrap();
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores.push(backend.inventory().await.unwrap().store);
    }
    for n in 0..10 {
        let buy = async |buyer: usize, store: &Arc<dyn Database<Inventory>>| {
            let line = StockLine { product_id: product(n).as_str().into(), quantity: 1 };
            let lines = Lines::try_from(vec![line]).unwrap();
            let origin = origin(n * 10 + buyer as u128);
            insist(&**store, batch(Inventory, vec![Change::Reserve { origin, lines }], at(1))).await
        };
        join_all(stores.iter().enumerate().map(|(buyer, store)| buy(buyer, store))).await;
        let mut statuses = Vec::new();
        for buyer in 0..4 {
            let row = opened.reads.reservation(order(n * 10 + buyer)).await.unwrap().unwrap();
            statuses.push(row.reservation.status());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, ["REFUSED", "REFUSED", "REFUSED", "RESERVED"]);
    }
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_change_decided_on_an_old_version_is_refused() {
    let backend = PostgresBackend::new().await;
    let (here, there) = (backend.order().await.unwrap(), backend.order().await.unwrap());
    let mut saga = placed(1);
    let place = learn(&mut saga, vec![Fact::Placed], at(1));
    here.store.commit(&batch(Order, vec![place.clone()], at(1))).await.unwrap();

    // The other process has the same row in memory, and both go on from it.
    let (mut ours, mut theirs) = (saga.clone(), saga);
    let ours = learn(&mut ours, vec![Fact::done(Step::Inventory)], at(2));
    let first = learn(&mut theirs, vec![Fact::RetryAsked], at(3));
    let second = learn(&mut theirs, vec![Fact::done(Step::Inventory)], at(4));
    here.store.commit(&batch(Order, vec![ours], at(2))).await.unwrap();
    let refused = there.store.commit(&batch(Order, vec![first, second, place], at(4))).await;
    let refused = refused.unwrap();
    assert!(refused.outcomes.iter().all(|outcome| *outcome == Outcome::Refused));
    assert!(refused.outbox.is_empty(), "nothing of it is said");

    // Loaded again, it goes on.
    let mut saga = there.reads.order(order(1)).await.unwrap().unwrap();
    assert_eq!(saga.version, 2);
    let again = learn(&mut saga, vec![Fact::RetryAsked], at(5));
    let outcomes = there.store.commit(&batch(Order, vec![again], at(5))).await.unwrap().outcomes;
    assert_ne!(outcomes, [Outcome::Refused]);
    let history = here.reads.history(&[(order(1), 0)], 10).await.unwrap();
    assert_eq!(history.len(), 3, "each change once: {history:?}");
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn sweepers_of_several_processes_never_claim_the_same_order() {
    let backend = PostgresBackend::new().await;
    let opened = backend.order().await.unwrap();
    let orders = (0..300).map(|n| learn(&mut placed(n), vec![Fact::Placed], at(1)));
    opened.store.commit(&batch(Order, orders.collect(), at(1))).await.unwrap();
    let late = at(1) + Duration::from_secs(3_600);
    let mut sweepers = Vec::new();
    for _ in 0..4 {
        let reads = backend.order().await.unwrap().reads;
        sweepers.push(tokio::spawn(async move {
            let (mut claimed, mut idle) = (Vec::new(), 0);
            // What another is just claiming is passed over: only twice nothing is nothing.
            while idle < 2 {
                let more = reads.claim(late, late + Duration::from_secs(15), 13).await.unwrap();
                idle = if more.is_empty() { idle + 1 } else { 0 };
                claimed.extend(more);
            }
            claimed
        }));
    }
    let mut claimed = Vec::new();
    for sweeper in sweepers {
        claimed.extend(sweeper.await.unwrap());
    }
    claimed.sort_unstable();
    assert_eq!(claimed, (0..300).map(order).collect::<Vec<_>>(), "each once");
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_sweeper_passes_over_what_another_is_just_claiming() {
    let backend = PostgresBackend::new().await;
    let opened = backend.order().await.unwrap();
    let orders = (0..4).map(|n| learn(&mut placed(n), vec![Fact::Placed], at(1)));
    opened.store.commit(&batch(Order, orders.collect(), at(1))).await.unwrap();
    let mut another = backend.scratch().connect().await;
    let mut tx = another.begin().await.unwrap();
    sqlx::query(
        "UPDATE orders.sagas SET due_at = due_at + interval '1 day' WHERE order_id = ANY($1)",
    )
    .bind([order(1).0, order(2).0])
    .execute(&mut *tx)
    .await
    .unwrap();
    let late = at(1) + Duration::from_secs(3_600);
    let claim = async || {
        let claiming = opened.reads.claim(late, late + Duration::from_secs(15), 100);
        let mut claimed =
            timeout(Duration::from_secs(5), claiming).await.expect("at once").unwrap();
        claimed.sort_unstable();
        claimed
    };
    assert_eq!(claim().await, [order(0), order(3)]);
    tx.commit().await.unwrap();
    assert!(claim().await.is_empty(), "the others have been claimed");
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_process_stopped_within_a_batch_delays_others_only_briefly() {
    let backend = PostgresBackend::new().await;
    let opened = backend.inventory().await.unwrap();
    let create =
        Change::CreateProduct { product_id: "pear".into(), available: Quantity::new(5).unwrap() };
    opened.store.commit(&batch(Inventory, vec![create], at(0))).await.unwrap();
    let stopped = backend.database(SCHEMA, &MIGRATIONS, next_owner()).await;
    let locked = Arc::new(Notify::new());
    let has_locked = locked.clone();
    let batch_of_the_stopped = tokio::spawn(async move {
        let written = stopped.write(|conn| {
            Box::pin(async move {
                let mut tx = conn.begin().await?;
                sqlx::query("UPDATE stock SET reserved = 1").execute(&mut *tx).await?;
                has_locked.notify_one();
                // As far as the server can tell, the process does not run.
                tokio::time::sleep(Duration::from_secs(14)).await;
                Ok(tx.commit().await?)
            })
        });
        written.await
    });
    locked.notified().await;
    let lines = vec![StockLine { product_id: "pear".into(), quantity: 5 }];
    let lines = Lines::try_from(lines).unwrap();
    let reserve = vec![Change::Reserve { origin: origin(1), lines }];
    opened.store.commit(&batch(Inventory, reserve, at(1))).await.unwrap();

    assert!(batch_of_the_stopped.await.unwrap().is_err(), "it wakes up, and has lost its turn");
    let row = opened.reads.stock(&"pear".into()).await.unwrap().unwrap();
    assert_eq!((row.reserved, row.version), (5, 2), "nothing of it was written");
}
