//! Rows that nobody can read: they are told from a database that is away.

use crate::backend::SqliteBackend;
use ordermill_actors::ports::ReadError;
use ordermill_actors::registry::OpenDatabases;
use ordermill_contract::Backend;
use ordermill_contract::batches::{batch, make};
use ordermill_contract::order::scenarios::scenarios;
use ordermill_contract::values::{at, order};
use ordermill_domain::order::Order;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

#[tokio::test]
async fn an_unreadable_saga_is_not_reported_as_an_unavailable_database() {
    let backend = SqliteBackend::new();
    let opened = backend.order().await.unwrap();
    for changes in scenarios() {
        make(&*opened.store, batch(Order, changes, at(1))).await;
    }
    let file = backend.scratch().path().join("order.db");
    let mut conn = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    let garbled = "UPDATE sagas SET state = '{\"facts\": \"of a later version\"}'";
    sqlx::query(garbled).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let read = opened.reads.order(order(0)).await;
    assert!(matches!(read, Err(ReadError::Unreadable(_))), "{read:?}");
    backend.close().await;
    let read = opened.reads.order(order(0)).await;
    assert!(matches!(read, Err(ReadError::Away(_))), "{read:?}");
}
