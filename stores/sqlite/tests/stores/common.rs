//! What every store does, seen through a service that only sends messages.

use crate::contract::world;
use crate::scratch::Scratch;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta};
use ordermill_actors::clock::Timestamp;
use ordermill_actors::ids::{OrderId, ServiceName};
use ordermill_actors::messages::{Message, Origin, Payload, Queue};
use ordermill_actors::ports::{CommitError, Outbox, Store};
use ordermill_actors::runtime::outbox::{Content, OutboxRow};
use ordermill_actors::runtime::service::{
    Batch, DeadLetter, Outcome, Parking, Service, Settlement, Upkeep,
};
use ordermill_sqlite::{DataDir, DataDirError, Database, Error, OpenError, SqliteStore, Tables};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqliteConnection};
use std::sync::Arc;
use uuid::Uuid;

/// Writes its changes into a table, and says each of them.
struct Notes;

impl Service for Notes {
    const NAME: ServiceName = ServiceName::Audit;
    type Change = i64;
    type Keys = Vec<i64>;
    type Rows = usize;
    type Writes = Vec<i64>;
    type Answer = usize;

    fn keys(changes: &[i64]) -> Vec<i64> {
        changes.to_vec()
    }

    fn settle(&self, rows: usize, changes: &[i64], at: Timestamp) -> Settlement<Self> {
        let say = |note: &i64| {
            let origin = Origin {
                order_id: OrderId(Uuid::from_u128(*note as u128)),
                flow: Default::default(),
                plan: Default::default(),
                request_id: None,
            };
            Message::new(&origin, Payload::InventoryReleased, 0, at)
        };
        Settlement {
            writes: changes.to_vec(),
            outcomes: changes.iter().map(|_| Outcome::Done(rows)).collect(),
            messages: changes.iter().map(say).collect(),
        }
    }
}

struct NotesTables;

#[async_trait]
impl Tables<Notes> for NotesTables {
    async fn load(&self, conn: &mut SqliteConnection, _: &Vec<i64>) -> Result<usize, Error> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(conn).await?;
        Ok(count as usize)
    }

    async fn write(
        &self,
        conn: &mut SqliteConnection,
        writes: &Vec<i64>,
        _: Timestamp,
    ) -> Result<(), Error> {
        let notes = serde_json::to_string(writes).unwrap();
        sqlx::query("INSERT INTO notes (note) SELECT value FROM json_each(?1)")
            .bind(notes)
            .execute(conn)
            .await?;
        Ok(())
    }
}

fn migrations(statements: &[(i64, &'static str)]) -> Migrator {
    let migration = |(version, sql): &(i64, &'static str)| {
        let sql = (*sql).into_sql_str();
        Migration::new(*version, "notes".into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(statements.iter().map(migration).collect())
}

const TABLE: (i64, &str) =
    (101, "CREATE TABLE notes (note INTEGER PRIMARY KEY CHECK (note >= 0)) STRICT;");

async fn open(directory: &DataDir) -> SqliteStore<Notes, NotesTables> {
    let database = Database::open(directory, "notes", &migrations(&[TABLE])).await.unwrap();
    SqliteStore::new(database, NotesTables)
}

fn batch(changes: Vec<i64>, upkeep: Upkeep) -> Batch<Notes> {
    let world = world();
    Batch { service: Arc::new(Notes), changes, upkeep, at: world.now(), world }
}

fn changes(changes: Vec<i64>) -> Batch<Notes> {
    batch(changes, Upkeep::default())
}

async fn waiting(store: &impl Outbox) -> Vec<OutboxRow> {
    store.waiting(None, 100).await.unwrap()
}

#[tokio::test]
async fn what_is_committed_is_there_when_the_file_is_opened_again() {
    let scratch = Scratch::new();
    let store = open(&scratch.open()).await;
    let first = store.commit(&changes(vec![1, 2])).await.unwrap();
    assert_eq!(first.outcomes, [Outcome::Done(0), Outcome::Done(0)]);
    store.database().close().await;
    drop(store);

    let store = open(&scratch.open()).await;
    let rows = waiting(&store).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].id, first.outbox[0].id);
    let Content::Fresh(messages) = &rows[0].content else { panic!("{rows:?}") };
    assert_eq!(messages.len(), 2);
    assert!(store.waiting(Some(rows[0].id), 100).await.unwrap().is_empty());
    let second = store.commit(&changes(vec![3])).await.unwrap();
    assert_eq!(second.outcomes, [Outcome::Done(2)]);
}

#[tokio::test]
async fn a_batch_that_fails_leaves_nothing() {
    let scratch = Scratch::new();
    let store = open(&scratch.open()).await;
    store.commit(&changes(vec![1])).await.unwrap();
    let outbox = waiting(&store).await.len();

    let negative = store.commit(&changes(vec![2, -1])).await;
    assert!(matches!(negative, Err(CommitError::Data(_))), "the data is at fault");
    let taken = store.commit(&changes(vec![3, 1])).await;
    assert!(matches!(taken, Err(CommitError::Unavailable(_))), "somebody was first: read again");

    assert_eq!(waiting(&store).await.len(), outbox);
    let next = store.commit(&changes(vec![4])).await.unwrap();
    assert_eq!(next.outcomes, [Outcome::Done(1)], "the store goes on");
}

#[tokio::test]
async fn a_full_disk_is_waited_for() {
    let scratch = Scratch::new();
    let store = open(&scratch.open()).await;
    let full = |pages: &'static str| {
        store.database().write(move |pool| async move {
            sqlx::query(pages).execute(&pool).await?;
            Ok(())
        })
    };
    full("PRAGMA max_page_count = 1").await.unwrap();
    let refused = store.commit(&changes((0..10_000).collect())).await;
    assert!(matches!(refused, Err(CommitError::Unavailable(_))), "{:?}", refused.err());
    // The connection that failed was given up, and its limit with it: there is space again.
    store.commit(&changes((0..10_000).collect())).await.unwrap();
}

#[tokio::test]
async fn parked_rows_leave_the_window_until_they_are_due() {
    let scratch = Scratch::new();
    let store = open(&scratch.open()).await;
    let row = store.commit(&changes(vec![1, 2])).await.unwrap().outbox.remove(0);
    let until = DateTime::UNIX_EPOCH + TimeDelta::seconds(1_000);
    let left = OutboxRow {
        id: row.id,
        content: Content::Parked(row.parcels().into_iter().take(1).collect()),
        tries: 3,
    };
    let park = vec![Parking { row: left, until }];
    store.commit(&batch(Vec::new(), Upkeep { park, ..Upkeep::default() })).await.unwrap();

    assert!(waiting(&store).await.is_empty());
    assert_eq!(store.parked().await.unwrap(), 1);
    assert!(store.due(until - TimeDelta::microseconds(1), 10).await.unwrap().is_empty());
    let due = store.due(until, 10).await.unwrap();
    assert_eq!((due.len(), due[0].id, due[0].tries), (1, row.id, 3));
    assert_eq!(due[0].parcels().len(), 1);

    let forget = vec![row.id];
    store.commit(&batch(vec![5], Upkeep { forget, ..Upkeep::default() })).await.unwrap();
    assert_eq!(store.parked().await.unwrap(), 0);
}

#[tokio::test]
async fn dead_letters_are_kept_once_and_read_back() {
    let scratch = Scratch::new();
    let store = open(&scratch.open()).await;
    let letter = |id: u128, order_id| DeadLetter {
        id: Uuid::from_u128(id),
        queue: Queue::AuditEvents,
        order_id,
        event_type: None,
        cause: "malformed".to_owned(),
        attempts: 2,
        body: "{\"é\u{0}".to_owned(),
        died_at: DateTime::UNIX_EPOCH + TimeDelta::microseconds(1_234_567),
    };
    let letters = vec![letter(1, None), letter(2, Some(Uuid::from_u128(7)))];
    for _ in 0..2 {
        let dead_letters = letters.clone();
        store
            .commit(&batch(Vec::new(), Upkeep { dead_letters, ..Upkeep::default() }))
            .await
            .unwrap();
    }
    let read = store.database().dead_letters(None, 10).await.unwrap();
    assert_eq!(read, [letters[1].clone(), letters[0].clone()]);
    let older = store.database().dead_letters(Some(letters[1].id), 10).await.unwrap();
    assert_eq!(older, [letters[0].clone()]);
}

#[tokio::test]
async fn a_directory_in_use_is_refused_with_the_holders_pid() {
    let scratch = Scratch::new();
    let held = scratch.open();
    match DataDir::open(scratch.path()) {
        Err(DataDirError::InUse { holder, .. }) => {
            assert_eq!(holder, Some(std::process::id().to_string()));
        }
        other => panic!("{other:?}"),
    }
    drop(held);
    DataDir::open(scratch.path()).unwrap();

    let file = scratch.path().join("ordermill.lock");
    assert!(matches!(DataDir::open(file), Err(DataDirError::Unusable { .. })));
}

#[tokio::test]
async fn a_file_of_another_version_is_refused() {
    let scratch = Scratch::new();
    let directory = scratch.open();
    let later = (102, "ALTER TABLE notes ADD COLUMN text TEXT;");
    let newer = migrations(&[TABLE, later]);
    Database::open(&directory, "notes", &newer).await.unwrap().close().await;

    let old = Database::open(&directory, "notes", &migrations(&[TABLE])).await;
    assert!(matches!(old, Err(OpenError::Newer { version: 102, .. })), "{old:?}");
    let changed = migrations(&[(101, "CREATE TABLE notes (note INTEGER);"), later]);
    let other = Database::open(&directory, "notes", &changed).await;
    assert!(matches!(other, Err(OpenError::Altered { version: 101, .. })), "{other:?}");

    std::fs::write(scratch.path().join("garbage.db"), "no database").unwrap();
    let garbage = Database::open(&directory, "garbage", &newer).await;
    assert!(garbage.is_err());
}

#[tokio::test]
async fn reads_cannot_write() {
    let scratch = Scratch::new();
    let store = open(&scratch.open()).await;
    let written = store.database().read(|pool| async move {
        sqlx::query("INSERT INTO notes (note) VALUES (9)").execute(&pool).await?;
        Ok(())
    });
    assert!(written.await.is_err());
}
