//! Schemas of earlier versions: what stands in them reads the same once they are brought up to date.

use crate::backend::{PostgresBackend, next_owner};
use crate::server::run;
use ordermill_contract::Backend;
use ordermill_contract::batches::{batch, make};
use ordermill_contract::order::scenarios::{compare, scenarios};
use ordermill_contract::values::{at, order};
use ordermill_domain::order::Order;
use ordermill_postgres::order::{MIGRATIONS, OrderDatabase};
use sqlx::migrate::Migrator;

/// A service's tables as they were at a version.
fn as_of(version: i64, all: &Migrator) -> Migrator {
    Migrator::with_migrations(all.iter().filter(|m| m.version <= version).cloned().collect())
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn orders_that_were_one_row_with_their_sagas_are_the_same_in_two() {
    let backend = PostgresBackend::new().await;
    let today = backend.order().await;
    for changes in scenarios() {
        make(&*today.store, batch(Order, changes, at(1))).await;
    }

    backend.database("earlier", &as_of(101, &MIGRATIONS), next_owner()).await.close().await;
    let mut conn = backend.scratch().connect().await;
    for copy in [
        "INSERT INTO earlier.orders
         SELECT order_id, version, customer_id, status, saga_status, created_at, updated_at, due_at,
                origin, details, state
         FROM orders.orders JOIN orders.sagas USING (order_id)",
        "INSERT INTO earlier.order_history SELECT * FROM orders.order_history",
    ] {
        run(&mut conn, copy.to_owned()).await;
    }

    let earlier = OrderDatabase(backend.database("earlier", &MIGRATIONS, next_owner()).await);
    let orders: Vec<_> = (0..5).map(order).collect();
    compare(&*today.reads, &earlier, &orders).await;
    backend.close().await;
}
