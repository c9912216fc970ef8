//! Files: whose they are, which version wrote them, and how an older one is brought up to date.

use crate::backend::Scratch;
use crate::notes::{TABLE, migrations};
use ordermill_actors::ports::{DeadLetterFilter, DeadLetters};
use ordermill_contract::values::at;
use ordermill_sqlite::{DataDir, DataDirError, Database, Holder, OpenError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

#[tokio::test]
async fn a_directory_in_use_is_refused_with_the_holders_pid() {
    let scratch = Scratch::new();
    let held = scratch.open();
    match DataDir::open(scratch.path()) {
        Err(DataDirError::InUse { holder, .. }) => {
            let pid = Some(std::process::id().to_string());
            assert_eq!(holder, Holder { pid, url: None });
        }
        other => panic!("{other:?}"),
    }
    held.serves_at("http://127.0.0.1:1").unwrap();
    match DataDir::open(scratch.path()) {
        Err(DataDirError::InUse { holder, .. }) => {
            assert_eq!(holder.url.as_deref(), Some("http://127.0.0.1:1"));
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

/// What the first version of the common tables made of a dead letter.
const OLD_LETTER: &str = "INSERT INTO dead_letters VALUES
    (zeroblob(16), 'audit.events', NULL, NULL, 'malformed', 2, '{', 1123456)";

#[tokio::test]
async fn dead_letters_of_the_first_version_are_shown_with_the_time_they_died_at() {
    let scratch = Scratch::new();
    let directory = scratch.open();
    Database::open(&directory, "notes", &migrations(&[TABLE])).await.unwrap().close().await;
    // Back to what the file was before the second migration.
    let file = scratch.path().join("notes.db");
    let mut conn = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    for statement in [
        "DROP INDEX dead_letters_of_queue",
        "ALTER TABLE dead_letters DROP COLUMN first_failed_at",
        "DELETE FROM _sqlx_migrations WHERE version = 2",
        OLD_LETTER,
    ] {
        sqlx::query(statement).execute(&mut conn).await.unwrap();
    }
    conn.close().await.unwrap();

    let database = Database::open(&directory, "notes", &migrations(&[TABLE])).await.unwrap();
    let letters = database.dead_letters(&DeadLetterFilter::default(), 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].first_failed_at, letters[0].died_at), (at(1), at(1)));
}
