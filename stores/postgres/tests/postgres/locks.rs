//! Rows are locked in the order of their keys, whatever the order of what is asked: so two batches wait
//! for each other, and never in a circle.
//!
//! ```text
//! somebody holds the row in the middle ─▶ the batch has the first row, waits, and has not the last
//! ```

use crate::backend::PostgresBackend;
use crate::server::run;
use ordermill_actors::ports::Store;
use ordermill_actors::registry::OpenDatabases;
use ordermill_contract::batches::batch;
use ordermill_contract::order::scenarios::{learn, placed};
use ordermill_contract::outbox::saying;
use ordermill_contract::payment::paying;
use ordermill_contract::values::{at, order, origin};
use ordermill_domain::inventory::{Change, Inventory, Lines, Quantity};
use ordermill_domain::messages::StockLine;
use ordermill_domain::order::facts::Fact;
use ordermill_domain::order::{Order, Step};
use ordermill_domain::service::{Batch, Service};
use ordermill_domain::shipping::Shipping;
use sqlx::{AssertSqlSafe, PgConnection};
use std::sync::Arc;
use std::time::Duration;

/// Three rows of a table, by the column that is their key, in the order of their keys.
struct Rows {
    table: &'static str,
    key: &'static str,
    keys: [String; 3],
}

impl Rows {
    fn of_orders(table: &'static str) -> Self {
        Self { table, key: "order_id", keys: [1, 2, 3].map(|n| order(n).to_string()) }
    }

    fn lock(&self, index: usize, how: &str) -> String {
        let Self { table, key, keys } = self;
        format!("SELECT 1 FROM {table} WHERE {key}::text = '{}' FOR UPDATE {how}", keys[index])
    }

    /// True when nobody has the row.
    async fn is_free(&self, conn: &mut PgConnection, index: usize) -> bool {
        sqlx::query(AssertSqlSafe(self.lock(index, "NOWAIT"))).execute(conn).await.is_ok()
    }
}

async fn waits(conn: &mut PgConnection) -> bool {
    let waiting: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .fetch_one(conn)
    .await
    .unwrap();
    waiting > 0
}

/// The rows are there; the batch names them in no order.
async fn assert_in_order<S: Service>(
    backend: &PostgresBackend,
    rows: Rows,
    store: Arc<impl Store<S> + ?Sized>,
    batch: Batch<S>,
) {
    let (mut holder, mut other) =
        (backend.scratch().connect().await, backend.scratch().connect().await);
    run(&mut holder, "BEGIN".to_owned()).await;
    run(&mut holder, rows.lock(1, "")).await;
    let batch = tokio::spawn(async move { store.commit(&batch).await.map(drop) });
    while !waits(&mut other).await {
        assert!(!batch.is_finished(), "{}: it has not waited for the row", rows.table);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!rows.is_free(&mut other, 0).await, "{}: the first row is not locked", rows.table);
    assert!(rows.is_free(&mut other, 2).await, "{}: the last row is locked first", rows.table);
    run(&mut holder, "ROLLBACK".to_owned()).await;
    batch.await.unwrap().unwrap();
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn stock_is_locked_in_the_order_of_the_products() {
    let backend = PostgresBackend::new().await;
    let store = backend.inventory().await.unwrap().store;
    let create = |product: &str| Change::CreateProduct {
        product_id: product.into(),
        available: Quantity::new(9).unwrap(),
    };
    let stocked = ["c", "a", "B"].map(create).to_vec();
    store.commit(&batch(Inventory, stocked, at(0))).await.unwrap();
    let reserve = |n, product: &str| {
        let lines = vec![StockLine { product_id: product.into(), quantity: 1 }];
        Change::Reserve { origin: origin(n), lines: Lines::try_from(lines).unwrap() }
    };
    let changes = vec![reserve(1, "c"), reserve(2, "B"), reserve(3, "a")];
    let keys = ["B", "a", "c"].map(str::to_owned);
    let rows = Rows { table: "inventory.stock", key: "product_id", keys };
    assert_in_order(&backend, rows, store, batch(Inventory, changes, at(1))).await;
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn reservations_are_locked_in_the_order_of_the_orders() {
    let backend = PostgresBackend::new().await;
    let store = backend.inventory().await.unwrap().store;
    let release = |n| Change::Release { origin: origin(n) };
    let tombstones = [2, 3, 1].map(release).to_vec();
    store.commit(&batch(Inventory, tombstones, at(0))).await.unwrap();
    let again = batch(Inventory, [3, 2, 1].map(release).to_vec(), at(1));
    assert_in_order(&backend, Rows::of_orders("inventory.reservations"), store, again).await;
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn orders_are_locked_in_their_order() {
    let backend = PostgresBackend::new().await;
    let store = backend.order().await.unwrap().store;
    let mut sagas = [2, 3, 1].map(placed);
    let mut learned = |fact: Fact| -> Vec<_> {
        sagas.iter_mut().map(|saga| learn(saga, vec![fact.clone()], at(1))).collect()
    };
    store.commit(&batch(Order, learned(Fact::Placed), at(1))).await.unwrap();
    let changes = batch(Order, learned(Fact::done(Step::Inventory)), at(2));
    assert_in_order(&backend, Rows::of_orders("orders.sagas"), store, changes).await;
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn payments_are_locked_in_the_order_of_the_orders() {
    let backend = PostgresBackend::new().await;
    let store = backend.payment().await.unwrap().store;
    store.commit(&paying([2, 3, 1], 0)).await.unwrap();
    let rows = Rows::of_orders("payment.payments");
    assert_in_order(&backend, rows, store, paying([3, 1, 2], 1)).await;
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn shipments_are_locked_in_the_order_of_the_orders() {
    let backend = PostgresBackend::new().await;
    let store = backend.shipping().await.unwrap().store;
    store.commit(&saying(1..4)).await.unwrap();
    let mut again: Batch<Shipping> = saying(1..4);
    again.changes.reverse();
    assert_in_order(&backend, Rows::of_orders("shipping.shipments"), store, again).await;
}
