//! Files of earlier versions: what stands in them reads the same once they are brought up to date.

use crate::backend::SqliteBackend;
use ordermill_contract::Backend;
use ordermill_contract::batches::{batch, make};
use ordermill_contract::order::scenarios::{compare, scenarios};
use ordermill_contract::values::{at, order};
use ordermill_domain::order::Order;
use ordermill_sqlite::order::{MIGRATIONS, OrderDatabase};
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

/// A service's tables as they were at a version.
fn as_of(version: i64, all: &Migrator) -> Migrator {
    Migrator::with_migrations(all.iter().filter(|m| m.version <= version).cloned().collect())
}

#[tokio::test]
async fn orders_that_were_one_row_with_their_sagas_are_the_same_in_two() {
    let backend = SqliteBackend::new();
    let today = backend.order().await;
    for changes in scenarios() {
        make(&*today.store, batch(Order, changes, at(1))).await;
    }

    backend.database("earlier", &as_of(101, &MIGRATIONS)).await.close().await;
    let path = |name: &str| backend.scratch().path().join(format!("{name}.db"));
    let mut conn = SqliteConnectOptions::new().filename(path("earlier")).connect().await.unwrap();
    let attach = format!("ATTACH '{}' AS today", path("order").display());
    let copy = "INSERT INTO main.orders
         SELECT order_id, version, customer_id, status, saga_status, created_at, updated_at, due_at,
                origin, details, state
         FROM today.orders JOIN today.sagas USING (order_id)";
    let history = "INSERT INTO main.order_history SELECT * FROM today.order_history";
    for statement in [attach.as_str(), copy, history] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut conn).await.unwrap();
    }
    conn.close().await.unwrap();

    let earlier = OrderDatabase(backend.database("earlier", &MIGRATIONS).await);
    let orders: Vec<_> = (0..5).map(order).collect();
    compare(&*today.reads, &earlier, &orders).await;
    backend.close().await;
}
