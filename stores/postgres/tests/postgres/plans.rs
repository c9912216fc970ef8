//! How PostgreSQL looks for rows: by their keys, however small the tables were when a session began to read.

use crate::backend::{PostgresBackend, next_owner};
use ordermill_actors::order::{OrderFilter, OrderReads};
use ordermill_contract::values::order;
use ordermill_postgres::order::{MIGRATIONS, OrderDatabase, SCHEMA};
use sqlx::PgConnection;
use std::time::Duration;

/// Orders that no service has placed, which only the planner looks at.
const ORDERS: &str = "WITH placed AS (
        INSERT INTO orders.orders (order_id, created_at, customer_id, origin, details)
        SELECT gen_random_uuid(), now(), 'c', '{}', '{}' FROM generate_series(1, $1) RETURNING order_id)
    INSERT INTO orders.sagas (order_id, version, updated_at, status, saga_status, state)
    SELECT order_id, 1, now(), 'CONFIRMED', 'COMPLETED', '{}' FROM placed";

/// More reads than a session plans anew before it keeps a plan, on both reading sessions.
const READS: usize = 20;
/// Sessions report what they have read once a second.
const REPORTED: Duration = Duration::from_millis(1_500);

async fn insert(conn: &mut PgConnection, orders: i32) {
    sqlx::query(ORDERS).bind(orders).execute(&mut *conn).await.unwrap();
}

/// How often a whole table was read so far, once every session has reported it.
async fn sequential_scans(conn: &mut PgConnection) -> i64 {
    tokio::time::sleep(REPORTED).await;
    sqlx::query_scalar(
        "SELECT sum(seq_scan)::bigint FROM pg_stat_user_tables WHERE schemaname = 'orders'",
    )
    .fetch_one(conn)
    .await
    .unwrap()
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_session_that_read_small_tables_finds_rows_of_large_ones_by_their_keys() {
    let backend = PostgresBackend::new().await;
    let database = OrderDatabase(backend.database(SCHEMA, &MIGRATIONS, next_owner()).await);
    let mut conn = backend.scratch().connect().await;
    let read = async || {
        for _ in 0..READS {
            assert!(database.order(order(1)).await.unwrap().is_none());
            let filter =
                OrderFilter { customer_id: Some("d".to_owned()), ..OrderFilter::default() };
            assert!(database.orders(&filter, 10).await.unwrap().is_empty());
        }
    };
    insert(&mut conn, 20).await;
    sqlx::raw_sql("ANALYZE orders.orders, orders.sagas").execute(&mut conn).await.unwrap();
    read().await;
    insert(&mut conn, 5_000).await;
    // A session reports what it has read when it is used again, at most once a second.
    tokio::time::sleep(REPORTED).await;
    read().await;
    let before = sequential_scans(&mut conn).await;
    read().await;
    assert_eq!(sequential_scans(&mut conn).await, before, "whole tables were read for one order");
}
