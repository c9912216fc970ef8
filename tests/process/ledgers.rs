//! What the databases say: the witnesses that no answer can colour.

use super::shop::{Order, cents};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Every service's database.
const SERVICES: [&str; 7] =
    ["order", "inventory", "gateway", "payment", "shipping", "notification", "audit"];

/// The longest that audit and notification may be behind the orders.
const HEARD_LIMIT: Duration = Duration::from_secs(10);
/// How often it is looked whether they still are.
const LOOK_EVERY: Duration = Duration::from_millis(50);

async fn open(data: &Path, name: &str) -> SqliteConnection {
    let file = data.join(format!("{name}.db"));
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// Waits until nothing has to be said any more, which the last hearers may take a moment for, and
/// checks that every message found its hearer. The server may run.
pub async fn everything_was_heard(data: &Path) {
    for service in SERVICES {
        let mut database = open(data, service).await;
        let begun = Instant::now();
        loop {
            let waiting = texts(&mut database, "SELECT content FROM outbox").await;
            if waiting.is_empty() {
                break;
            }
            assert!(begun.elapsed() < HEARD_LIMIT, "{service} still has to say: {waiting:#?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let dead = texts(&mut database, "SELECT queue || ': ' || cause FROM dead_letters").await;
        assert!(dead.is_empty(), "{service} has dead letters: {dead:#?}");
        database.close().await.unwrap();
    }
}

async fn texts(database: &mut SqliteConnection, query: &'static str) -> Vec<String> {
    let rows = sqlx::query(query).fetch_all(database).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Checks that the gateway holds what fulfilled orders cost, and charged no order twice.
pub async fn the_gateway_agrees(data: &Path, orders: &[Order]) {
    let mut database = open(data, "gateway").await;
    let rows = sqlx::query(
        "SELECT order_id, captured_minor, refunded_minor FROM gateway_ledger \
         WHERE captured_minor > 0",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();
    let mut held = BTreeMap::new();
    for row in rows {
        let order = Uuid::from_slice(row.get(0)).unwrap().to_string();
        let (captured, refunded): (i64, i64) = (row.get(1), row.get(2));
        let earlier = held.insert(order.clone(), (captured, refunded));
        assert!(earlier.is_none(), "{order} was charged under two keys: {earlier:?}, {captured}");
    }
    for order in orders {
        let (captured, refunded) = held.remove(&order.order_id).unwrap_or_default();
        let total = cents(order.total_amount);
        let owed = if order.is_fulfilled() { total } else { 0 };
        assert_eq!(captured - refunded, owed, "the gateway holds {captured} for {order:#?}");
        assert!(captured <= total, "the gateway has charged {captured} for {order:#?}");
    }
    assert!(held.is_empty(), "the gateway was paid for orders that nobody knows: {held:?}");
}

/// Checks that the audit has the beginning of each order once, and each confirmation once.
pub async fn the_audit_is_whole(data: &Path, orders: &[Order]) {
    for (event, expected) in [
        ("order.created", orders.iter().collect::<Vec<_>>()),
        ("order.confirmed", orders.iter().filter(|order| order.is_fulfilled()).collect()),
    ] {
        let audited = audited(data, event).await;
        let twice: Vec<_> = audited.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "{event} stands there more than once: {twice:?}");
        let expected: BTreeSet<_> = expected.iter().map(|order| &order.order_id).collect();
        let missing: Vec<_> =
            expected.iter().filter(|order| !audited.contains_key(**order)).collect();
        assert!(missing.is_empty(), "{event} is not audited of {missing:?}");
    }
}

async fn audited(data: &Path, event: &str) -> BTreeMap<String, i64> {
    let mut database = open(data, "audit").await;
    let rows = sqlx::query(
        "SELECT order_id, COUNT(*) FROM audit_entries WHERE event_type = ? GROUP BY order_id",
    )
    .bind(event.to_owned())
    .fetch_all(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();
    let entry = |row: &sqlx::sqlite::SqliteRow| {
        (Uuid::from_slice(row.get(0)).unwrap().to_string(), row.get(1))
    };
    rows.iter().map(entry).collect()
}
