//! What becomes of a backup whose reader stops, and of one that breaks off.

use super::archive::Backups;
use super::of_directory;
use super::receive::receive;
use super::target::Target;
use crate::app::world;
use futures::{StreamExt, stream};
use ordermill_sqlite::{DataDir, Database};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::io;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// More than waits for a reader.
const FILLER: usize = 8 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

/// A database in a directory of its own.
async fn databases() -> (TempDir, Vec<Database>) {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("data/order.db");
    std::fs::create_dir(scratch.path().join("data")).unwrap();
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut database = options.connect().await.unwrap();
    let filler = format!("CREATE TABLE filler AS SELECT zeroblob({FILLER}) AS zeros");
    sqlx::raw_sql(AssertSqlSafe(filler)).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let directory = DataDir::open(scratch.path().join("data")).unwrap();
    let databases = Database::open_all(&directory).await.unwrap();
    (scratch, databases)
}

fn backups(databases: &[Database]) -> Backups {
    Backups::of(databases.to_vec(), world::real(), CancellationToken::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stops_is_not_waited_for() {
    let (_scratch, databases) = databases().await;
    let backups = backups(&databases).bounded(Duration::from_millis(100), u64::MAX);
    let bytes = backups.begin().await.unwrap().bytes();
    tokio::time::timeout(PATIENCE, backups.ended()).await.expect("it waits for the reader");
    let read: Vec<_> = bytes.collect().await;
    assert!(read.last().unwrap().is_err(), "the reader takes a part for the whole");
    assert!(backups.begin().await.is_ok(), "the next one has to wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_aborted_when_its_reader_is_too_slow_for_the_log() {
    let (_scratch, databases) = databases().await;
    let backups = backups(&databases).bounded(PATIENCE, 4_096);
    let bytes = backups.begin().await.unwrap();
    let written = databases[0].write(|writer| async move {
        sqlx::query("CREATE TABLE more AS SELECT zeroblob(100000)").execute(&writer).await?;
        Ok(())
    });
    written.await.unwrap();
    let read: Vec<_> = bytes.bytes().collect().await;
    assert!(read.last().unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incomplete_or_corrupt_backup_is_never_renamed_into_place() {
    let (scratch, databases) = databases().await;
    let bytes = backups(&databases).begin().await.unwrap().bytes();
    let pieces: Vec<_> = bytes.map(Result::unwrap).collect().await;
    let whole = pieces.concat();
    let name = scratch.path().join("backup");
    let mut altered = whole.clone();
    altered[FILLER / 2] ^= 1;
    // The manifest is a header, less than a block, and the end of the archive: two blocks.
    for (bad, why) in [
        (&whole[..whole.len() / 2], "cut in a file"),
        (&whole[..0], "empty"),
        (&whole[..whole.len() - 2_048], "without its manifest"),
        (&altered[..], "altered"),
        (b"no archive".as_slice(), "no archive"),
    ] {
        let bytes = stream::iter([Ok::<_, io::Error>(bad.to_vec().into())]);
        let received = receive(bytes, Target::make(&name).unwrap()).await;
        assert!(received.is_err(), "{why}: {:?}", received.ok());
        assert_eq!(
            std::fs::read_dir(scratch.path()).unwrap().count(),
            1,
            "{why}: something is left"
        );
    }
    let bytes = stream::iter([Ok::<_, io::Error>(whole.into())]);
    let manifest = receive(bytes, Target::make(&name).unwrap()).await.unwrap();
    assert_eq!(manifest.files.len(), 1);
    assert!(name.join("backup.json").exists() && name.join("order.db").exists());
}

#[tokio::test]
async fn a_directory_that_no_start_reads_is_not_backed_up() {
    let scratch = tempfile::tempdir().unwrap();
    let data = scratch.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let options = SqliteConnectOptions::new().filename(data.join("order.db"));
    let mut database = options.create_if_missing(true).connect().await.unwrap();
    // The migrations of version 0.1 begin with 1.
    let applied = "CREATE TABLE _sqlx_migrations AS SELECT 1 AS version";
    sqlx::raw_sql(applied).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let target = Target::make(&scratch.path().join("backup")).unwrap();
    let refused = of_directory(DataDir::open(&data).unwrap(), target).await.unwrap_err();
    assert!(refused.to_string().contains("was created by Ordermill 0.1"), "{refused}");
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1, "something is left");
}
