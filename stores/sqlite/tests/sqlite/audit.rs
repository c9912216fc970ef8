//! What was kept once is never changed; and how fast it is kept.

use crate::backend::Scratch;
use ordermill_actors::ports::Store;
use ordermill_contract::batches::batch;
use ordermill_contract::values::{at, origin};
use ordermill_domain::audit::{AuditService, Change};
use ordermill_domain::messages::{Failure, Message, OrderMessage, Payload};
use ordermill_sqlite::Database;
use ordermill_sqlite::audit::MIGRATIONS;
use std::sync::Arc;
use std::time::Instant;

fn event(n: u128, reason: &str, number: u32) -> Arc<Message> {
    let (step, reason) = ("customer".to_owned(), reason.to_owned());
    let failure = Failure { step, reason, shortages: Vec::new() };
    Message::new(&origin(n), Payload::Order(OrderMessage::CancelRequested(failure)), number, at(0))
}

#[tokio::test]
async fn entries_are_neither_changed_nor_deleted() {
    let scratch = Scratch::new();
    let database = Database::open(&scratch.open(), "audit", &MIGRATIONS).await.unwrap();
    let changes = vec![Change(vec![event(1, "changed my mind", 0)])];
    database.commit(&batch(AuditService, changes, at(0))).await.unwrap();
    for statement in ["UPDATE audit_entries SET number = 9", "DELETE FROM audit_entries"] {
        let done = database.write(move |pool| async move {
            sqlx::query(statement).execute(&pool).await?;
            Ok(())
        });
        assert!(done.await.unwrap_err().to_string().contains("append-only"), "{statement}");
    }
}

/// `cargo test --release -p ordermill-sqlite -- --ignored --nocapture audit_rate`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn audit_rate() {
    let scratch = Scratch::new();
    let database = Database::open(&scratch.open(), "audit", &MIGRATIONS).await.unwrap();
    let text = "x".repeat(300);
    let batches: Vec<_> = (0..100)
        .map(|n| {
            let feeds = (0..64)
                .map(|m| Change((0..16).map(|number| event(n * 64 + m, &text, number)).collect()));
            batch(AuditService, feeds.collect(), at(0))
        })
        .collect();
    let start = Instant::now();
    for batch in &batches {
        database.commit(batch).await.unwrap();
    }
    let rate = 100.0 * 64.0 * 16.0 / start.elapsed().as_secs_f64();
    println!("{rate:.0} events a second, 1024 in a batch");
}
