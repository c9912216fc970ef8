//! Whose an outbox row is: its writer's, as long as that one lives; then whoever takes it over.

use crate::backend::{PostgresBackend, next_owner};
use ordermill_actors::ports::{Outbox, Store};
use ordermill_contract::batches::maintenance;
use ordermill_contract::outbox::{adopt_all, saying};
use ordermill_contract::values::at;
use ordermill_domain::outbox::{Content, OutboxRow};
use ordermill_domain::service::{OutboxMaintenance, Parking};
use ordermill_domain::shipping::Shipping;
use ordermill_postgres::Database;
use ordermill_postgres::shipping::{MIGRATIONS, SCHEMA};
use sqlx::PgConnection;
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// One more process, of this number.
async fn process(backend: &PostgresBackend, owner: i64) -> Database {
    backend.database(SCHEMA, &MIGRATIONS, owner).await
}

async fn rows(store: &Database) -> BTreeSet<Uuid> {
    store.waiting(None, 1_000).await.unwrap().iter().map(|row| row.id).collect()
}

/// Batches of one row each.
async fn say(store: &Database, orders: std::ops::Range<u128>) -> BTreeSet<Uuid> {
    for n in orders {
        store.commit(&saying(n..n + 1)).await.unwrap();
    }
    rows(store).await
}

/// Ends the sessions that hold owners' locks, as a lost network or a restarted server does.
async fn cut_owners(conn: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks
         WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .fetch_one(conn)
    .await
    .unwrap()
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_process_sees_its_own_rows_only_and_takes_none_of_the_living() {
    let backend = PostgresBackend::new().await;
    let (ours, theirs) =
        (process(&backend, next_owner()).await, process(&backend, next_owner()).await);
    let written = say(&ours, 0..3).await;
    assert_eq!(written.len(), 3);
    let row = ours.waiting(None, 1).await.unwrap().remove(0);
    let row = OutboxRow { content: Content::Parked(row.messages()), ..row };
    let work = OutboxMaintenance {
        park: vec![Parking { row, until: at(10) }],
        ..OutboxMaintenance::default()
    };
    ours.commit(&maintenance(Shipping::default(), work)).await.unwrap();

    assert_eq!(theirs.adopt(100).await.unwrap(), 0);
    assert!(rows(&theirs).await.is_empty());
    assert!(theirs.due(at(10), 100).await.unwrap().is_empty());
    assert_eq!(theirs.parked().await.unwrap(), 1, "whoever's they are");
    assert_eq!((rows(&ours).await.len(), ours.due(at(10), 100).await.unwrap().len()), (2, 1));
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn all_services_of_a_process_die_at_once_and_each_row_finds_one_new_owner() {
    let backend = PostgresBackend::new().await;
    let dead = process(&backend, next_owner()).await;
    let written = say(&dead, 0..40).await;
    let heirs = [
        process(&backend, next_owner()).await,
        process(&backend, next_owner()).await,
        process(&backend, next_owner()).await,
    ];
    dead.close().await;

    futures::future::join_all(heirs.iter().map(adopt_all)).await;
    // Who came too late for the lock has found nothing; once more finds what is left.
    for heir in &heirs {
        adopt_all(heir).await;
    }
    let mut inherited = Vec::new();
    for heir in &heirs {
        inherited.extend(rows(heir).await);
    }
    assert_eq!(inherited.len(), written.len(), "each has one owner");
    assert_eq!(inherited.into_iter().collect::<BTreeSet<_>>(), written);
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn adopted_rows_are_published_and_deleted_like_own_rows() {
    let backend = PostgresBackend::new().await;
    let dead = process(&backend, next_owner()).await;
    let written = say(&dead, 0..5).await;
    dead.close().await;
    let heir = process(&backend, next_owner()).await;
    assert_eq!(heir.adopt(2).await.unwrap(), 2, "no more than was asked for");
    assert_eq!(rows(&heir).await.len(), 2);
    assert_eq!(heir.adopt(100).await.unwrap(), 3);
    assert_eq!(heir.adopt(100).await.unwrap(), 0);
    assert_eq!(rows(&heir).await, written);
    let work =
        OutboxMaintenance { forget: written.into_iter().collect(), ..OutboxMaintenance::default() };
    heir.commit(&maintenance(Shipping::default(), work)).await.unwrap();
    assert!(rows(&heir).await.is_empty());
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_process_that_lost_its_session_owns_its_rows_again_after_a_write() {
    let backend = PostgresBackend::new().await;
    let ours = process(&backend, next_owner()).await;
    let written = say(&ours, 0..3).await;
    let mut other = backend.scratch().connect().await;
    assert_eq!(cut_owners(&mut other).await, 1);
    // The first batch may find the session lost; then there is another, with the lock.
    let _ = ours.commit(&saying(10..11)).await;
    ours.commit(&saying(11..12)).await.unwrap();
    let theirs = process(&backend, next_owner()).await;
    assert_eq!(theirs.adopt(100).await.unwrap(), 0);
    assert!(rows(&ours).await.is_superset(&written));
}

#[tokio::test]
#[ignore = "needs ./scripts/stack"]
async fn a_process_that_returns_after_its_rows_were_adopted_does_no_harm() {
    let backend = PostgresBackend::new().await;
    let ours = process(&backend, next_owner()).await;
    let written = say(&ours, 0..3).await;
    let theirs = process(&backend, next_owner()).await;
    let mut other = backend.scratch().connect().await;
    // Both lose their sessions; the other is the first to come back.
    assert_eq!(cut_owners(&mut other).await, 2);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut adopted = 0;
    for _ in 0..3 {
        adopted += theirs.adopt(100).await.unwrap_or(0);
    }
    assert_eq!(adopted, 3);

    // Ours wakes up in the middle of publishing them: it confirms one, parks one, and goes on.
    let awake: Vec<_> = written.iter().copied().collect();
    let row = theirs.waiting(None, 100).await.unwrap().remove(1);
    let row = OutboxRow { content: Content::Parked(row.messages()), ..row };
    let mut late = saying(10..11);
    late.maintenance.forget = vec![awake[0]];
    late.maintenance.park = vec![Parking { row, until: at(10) }];
    while ours.commit(&late).await.is_err() {}
    assert_eq!(rows(&theirs).await.into_iter().collect::<Vec<_>>(), awake[2..]);
    assert_eq!(theirs.due(at(10), 10).await.unwrap()[0].id, awake[1]);
    assert_eq!(rows(&ours).await.len(), 1, "what it has written since is its own");
    assert_eq!(theirs.adopt(100).await.unwrap(), 0);
}
