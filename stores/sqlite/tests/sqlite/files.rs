//! Files: whose they are, and which version wrote them.

use crate::backend::Scratch;
use crate::notes::{TABLE, migrations};
use ordermill_sqlite::progress::compare_files;
use ordermill_sqlite::{DataDir, DataDirError, Database, Holder, OpenError};

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
    let later = (302, "ALTER TABLE notes ADD COLUMN text TEXT;");
    let newer = migrations(&[TABLE, later]);
    Database::open(&directory, "notes", &newer).await.unwrap().close().await;

    let old = Database::open(&directory, "notes", &migrations(&[TABLE])).await;
    assert!(matches!(old, Err(OpenError::Newer { version: 302, .. })), "{old:?}");
    let changed = migrations(&[(301, "CREATE TABLE notes (note INTEGER);"), later]);
    let other = Database::open(&directory, "notes", &changed).await;
    assert!(matches!(other, Err(OpenError::Altered { version: 301, .. })), "{other:?}");

    std::fs::write(scratch.path().join("garbage.db"), "no database").unwrap();
    let garbage = Database::open(&directory, "garbage", &newer).await;
    assert!(garbage.is_err());
}

#[tokio::test]
async fn a_file_whose_progress_is_unreadable_is_named() {
    let scratch = Scratch::new();
    let directory = scratch.open();
    let database = Database::open(&directory, "notes", &migrations(&[TABLE])).await.unwrap();
    let garbled = |writer| async move {
        sqlx::query("UPDATE progress SET seen = 'of a later version'").execute(&writer).await?;
        Ok(())
    };
    database.write(garbled).await.unwrap();
    database.close().await;
    let refused = compare_files(&directory, &["notes"]).await.unwrap_err();
    let said = format!("reading {} failed", scratch.path().join("notes.db").display());
    assert!(refused.to_string().starts_with(&said), "{refused}");
}
