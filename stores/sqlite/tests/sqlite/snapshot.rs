//! A snapshot is of one instant, whatever is written meanwhile.

use crate::backend::Scratch;
use crate::notes::{TABLE, batch, migrations};
use ordermill_actors::ports::Store;
use ordermill_sqlite::snapshot::{Snapshot, Snapshots, check_file};
use ordermill_sqlite::{DataDir, Database};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// How many snapshots are taken while everything is written to.
const SNAPSHOTS: usize = 20;

async fn open(directory: &DataDir, name: &str) -> Database {
    Database::open(directory, name, &migrations(&[TABLE])).await.unwrap()
}

/// Copies a snapshot to a file; how many notes it holds, and the last of them (-1: none).
async fn copied(snapshot: &Snapshot, to: &Path) -> (i64, i64) {
    let mut bytes = vec![0; snapshot.bytes() as usize];
    snapshot.file().read_exact_at(&mut bytes, 0).unwrap();
    snapshot.check().unwrap();
    std::fs::write(to, bytes).unwrap();
    check_file(to).await.unwrap();
    let options = SqliteConnectOptions::new().filename(to).read_only(true).immutable(true);
    let mut copy = options.connect().await.unwrap();
    let counted = sqlx::query_as("SELECT count(*), coalesce(max(note), -1) FROM notes");
    let counted = counted.fetch_one(&mut copy).await.unwrap();
    copy.close().await.unwrap();
    counted
}

/// Every note is written to one database and then to the other: at no instant has the second one more, nor is it more
/// than one behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_of_two_databases_is_of_one_instant() {
    let scratch = Scratch::new();
    let directory = scratch.open();
    let databases = [open(&directory, "first").await, open(&directory, "second").await];
    let enough = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (databases, enough) = (databases.clone(), enough.clone());
        async move {
            for note in 0_i64.. {
                for store in &databases {
                    store.commit(&batch([note])).await.unwrap();
                }
                if enough.load(Relaxed) {
                    break;
                }
            }
        }
    });
    let mut before = -1;
    for _ in 0..SNAPSHOTS {
        let snapshots = Snapshots::take(&databases).await.unwrap();
        // What is written from now on is not in it, although it is read later.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let to = scratch.path().join("copy");
        let (count, last) = copied(&snapshots.files[0], &to).await;
        let (behind, second) = copied(&snapshots.files[1], &to).await;
        assert_eq!((count, behind), (last + 1, second + 1), "notes are missing");
        assert!(second == last || second == last - 1, "{second} is not of the instant of {last}");
        assert!(last > before, "nothing was written between two snapshots");
        assert!(snapshots.files[0].log_bytes() > 0, "nothing was written during the snapshot");
        before = last;
        snapshots.release().await;
    }
    enough.store(true, Relaxed);
    writing.await.unwrap();
    for database in &databases {
        database.close().await;
    }
    let log = scratch.path().join("first.db-wal");
    assert!(!log.exists(), "a snapshot keeps the log from being closed");
}

#[tokio::test]
async fn a_file_that_is_damaged_is_found() {
    let scratch = Scratch::new();
    open(&scratch.open(), "notes").await.close().await;
    let file = scratch.path().join("notes.db");
    check_file(&file).await.unwrap();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    assert!(check_file(&file).await.is_err());
}
