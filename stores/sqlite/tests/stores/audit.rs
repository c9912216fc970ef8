//! The audit service's table on SQLite, held against the one in memory.

use crate::contract::{batch, on_both};
use crate::scratch::Scratch;
use ordermill_actors::audit::{AuditEntry, AuditMemory, AuditReads, AuditService, Change};
use ordermill_actors::clock::Timestamp;
use ordermill_actors::ids::OrderId;
use ordermill_actors::messages::{Failure, Flow, Message, Origin, Payload, Plan};
use ordermill_actors::ports::Store;
use ordermill_actors::testing::MemoryStore;
use ordermill_sqlite::audit::{AuditDatabase, AuditTables, MIGRATIONS};
use ordermill_sqlite::{Database, SqliteStore};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

fn order(n: u128) -> OrderId {
    OrderId(Uuid::from_u128(n << 64 | 7))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::new(seconds, 123_456_789)
}

fn event(n: u128, payload: Payload, number: u32, seconds: u64) -> Arc<Message> {
    let origin = Origin {
        order_id: order(n),
        flow: Flow::Orchestrated,
        plan: Plan::PaymentFirst,
        request_id: Some("r-1 \"\u{1F600}\" \u{7f}\\u0000".into()),
    };
    Message::new(&origin, payload, number, at(seconds))
}

fn asked(reason: &str) -> Payload {
    let (step, reason) = ("customer".to_owned(), reason.to_owned());
    Payload::OrderCancelRequested(Failure { step, reason, shortages: Vec::new() })
}

/// Feeds that come late, twice, and in pieces.
fn story() -> Vec<Vec<Change>> {
    let paid = || event(1, Payload::PaymentReversed, 0, 5);
    vec![
        vec![Change(vec![event(1, Payload::InventoryReleased, 0, 3), paid()])],
        vec![
            Change(vec![paid(), event(1, asked("\u{0} a\tb é 1e400 </x>"), 0, 1)]),
            Change(vec![event(1, Payload::ShippingDispatched, 0, 5)]),
        ],
        vec![Change(Vec::new()), Change(vec![paid(), event(2, Payload::PaymentReversed, 0, 1)])],
        // The same name again, as another event.
        vec![Change(vec![event(1, Payload::PaymentReversed, 1, 5)])],
    ]
}

/// What a position is differs from store to store; only its order matters.
fn without_positions(entries: Vec<AuditEntry>) -> Vec<AuditEntry> {
    entries.into_iter().map(|entry| AuditEntry { position: 0, ..entry }).collect()
}

#[tokio::test]
async fn events_are_kept_once_and_listed_as_they_happened() {
    let scratch = Scratch::new();
    let directory = scratch.open();
    let model = MemoryStore::<AuditMemory>::default();
    for (number, changes) in story().into_iter().enumerate() {
        let database = Database::open(&directory, "audit", &MIGRATIONS).await.unwrap();
        let store = SqliteStore::new(database.clone(), AuditTables);
        on_both(&AuditService, &model, &store, &changes, at(100 + number as u64)).await;
        let reads = AuditDatabase(database.clone());
        for n in 1..=3 {
            let events = reads.events(order(n), None, 100).await.unwrap();
            let expected = model.events(order(n), None, 100).await.unwrap();
            assert_eq!(without_positions(events), without_positions(expected));
        }
        database.close().await;
    }

    let database = Database::open(&directory, "audit", &MIGRATIONS).await.unwrap();
    let reads = AuditDatabase(database.clone());
    let all = reads.events(order(1), None, 100).await.unwrap();
    assert_eq!(all.len(), 5);
    assert_eq!(all[0].event_type, "order.cancel_requested");
    assert_eq!(all[0].message, event(1, asked("\u{0} a\tb é 1e400 </x>"), 0, 1).json());
    // Page by page it is the same list.
    let mut paged = Vec::new();
    while let page @ [_, ..] =
        &reads.events(order(1), paged.last().map(AuditEntry::cursor), 2).await.unwrap()[..]
    {
        paged.extend_from_slice(page);
    }
    assert_eq!(paged, all);

    let changed = database.write(|pool| async move {
        sqlx::query("UPDATE audit_entries SET number = 9").execute(&pool).await?;
        Ok(())
    });
    assert!(changed.await.unwrap_err().to_string().contains("append-only"));
    let deleted = database.write(|pool| async move {
        sqlx::query("DELETE FROM audit_entries").execute(&pool).await?;
        Ok(())
    });
    assert!(deleted.await.is_err());
}

/// `cargo test --release -p ordermill-sqlite -- --ignored --nocapture audit_rate`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn audit_rate() {
    let scratch = Scratch::new();
    let database = Database::open(&scratch.open(), "audit", &MIGRATIONS).await.unwrap();
    let store = SqliteStore::new(database, AuditTables);
    let text = "x".repeat(300);
    let batches: Vec<_> = (0..100)
        .map(|n| {
            let feeds = (0..64).map(|m| {
                let events = (0..16).map(|k| event(n * 64 + m, asked(&text), k, u64::from(k)));
                Change(events.collect())
            });
            batch(AuditService, feeds.collect(), at(0))
        })
        .collect();
    let start = Instant::now();
    for batch in &batches {
        store.commit(batch).await.unwrap();
    }
    let rate = 100.0 * 64.0 * 16.0 / start.elapsed().as_secs_f64();
    println!("{rate:.0} events a second, 1024 in a batch");
}
