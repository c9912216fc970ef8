//! What the tables themselves refuse, whatever a service believes.

use crate::backend::{PostgresBackend, next_owner};
use ordermill_actors::inventory::InventoryReads;
use ordermill_actors::ports::ReadError;
use ordermill_actors::registry::OpenDatabases;
use ordermill_contract::batches::{batch, make};
use ordermill_contract::order::scenarios::scenarios;
use ordermill_contract::values::{at, order, origin};
use ordermill_domain::audit::{AuditService, Change};
use ordermill_domain::ids::ProductId;
use ordermill_domain::inventory::{Inventory, StockRow, Writes};
use ordermill_domain::messages::{Message, Payload, PaymentMessage};
use ordermill_domain::order::Order;
use ordermill_postgres::inventory::{InventoryDatabase, MIGRATIONS, SCHEMA};
use ordermill_postgres::{Database, Tables};
use std::sync::Arc;

/// Writes rows as they are, whatever the service would have decided.
async fn write(database: &Database, writes: Writes) -> Result<(), ReadError> {
    let written = database
        .write(move |conn| Box::pin(async move { Inventory::write(conn, &writes, at(0)).await }));
    written.await
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn no_row_of_the_stock_is_made_twice_or_sold_twice() {
    let backend = PostgresBackend::new().await;
    let database = backend.database(SCHEMA, &MIGRATIONS, next_owner()).await;
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

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn an_unreadable_saga_is_not_reported_as_an_unavailable_database() {
    let backend = PostgresBackend::new().await;
    let opened = backend.order().await.unwrap();
    for changes in scenarios() {
        make(&*opened.store, batch(Order, changes, at(1))).await;
    }
    let mut conn = backend.scratch().connect().await;
    let garbled = r#"UPDATE orders.sagas SET state = '{"facts": "of a later version"}'"#;
    sqlx::query(garbled).execute(&mut conn).await.unwrap();
    let read = opened.reads.order(order(0)).await;
    assert!(matches!(read, Err(ReadError::Unreadable(_))), "{read:?}");
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn entries_of_the_audit_are_neither_changed_nor_deleted() {
    let backend = PostgresBackend::new().await;
    let opened = backend.audit().await.unwrap();
    let event = Message::new(&origin(1), Payload::Payment(PaymentMessage::Reversed), 0, at(0));
    make(&*opened.store, batch(AuditService, vec![Change(vec![event])], at(0))).await;
    let mut conn = backend.scratch().connect().await;
    for statement in [
        "UPDATE audit.audit_entries SET number = 9",
        "DELETE FROM audit.audit_entries",
        "TRUNCATE audit.audit_entries",
    ] {
        let done = sqlx::query(statement).execute(&mut conn).await;
        assert!(done.unwrap_err().to_string().contains("append-only"), "{statement}");
    }
}
