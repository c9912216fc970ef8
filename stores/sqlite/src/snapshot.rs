//! A snapshot of several databases at one instant, read while they go on being written. The reader of a backup.
//!
//! ```text
//! copy most of each log into its file ─▶ hold every writer ─▶ copy the rest of each log
//!     ─▶ begin a read transaction on each file ─▶ let the writers go ─▶ read the files' bytes
//! ```
//!
//! # Why the databases agree with each other
//!
//! Everything that is written to a database goes through its one writing connection. While all of them are
//! held, no transaction is under way anywhere, so the snapshot is what all databases were at one instant:
//! what a `kill -9` at that instant would have left. The in-process broker has no other state that must not be
//! lost: a message's outbox row is deleted only after every consumer has committed what the message causes.
//! At any instant a message is therefore in an outbox, or its effects are in the consumers' databases, or
//! both. So a start on a snapshot is a start after a crash, which the system takes up by itself. Snapshots
//! of different instants have no such property: an order may be confirmed in one and its reservation be
//! missing in the other, with no message left that would bring it.
//!
//! # Why the bytes are a database
//!
//! When the read transaction begins, all of the log has been copied into the file; this is checked. In WAL mode
//! only a checkpoint writes to the file, and no checkpoint goes beyond what an open read transaction
//! sees (<https://sqlite.org/walformat.html>, section 2.3.1). So as long as the read transaction is open, the file
//! does not change, and is a whole database without its log. That it did not change is checked again at the
//! end, by the time of its last change. Meanwhile commits go to the log, which grows.

use crate::database::Database;
use crate::error::Error;
use futures::future::{join_all, try_join_all};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Executor, Row, SqliteConnection};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use thiserror::Error as ThisError;
use tokio::time::Instant;

/// Writers are held no longer than this; requests wait for their commit for 5 s before they give up.
const HOLD_MAX: Duration = Duration::from_secs(2);
/// How often it is tried: a log cannot be copied past a reader that has begun earlier and is slow.
const TRIES: u32 = 5;
/// The pause between two looks at a log that cannot be copied yet.
const POLL_EVERY: Duration = Duration::from_millis(2);

/// Why there is no snapshot.
#[derive(Debug, ThisError)]
pub enum SnapshotError {
    /// A database cannot be read.
    #[error("reading a database failed: {0}")]
    Database(#[from] Error),
    /// A file cannot be read.
    #[error("reading a database file failed: {0}")]
    File(#[from] io::Error),
    /// Writers cannot be held for long enough.
    #[error(
        "stopping writes for a consistent snapshot took longer than {HOLD_MAX:?}, {TRIES} times: \
            the disk or a reader is too slow"
    )]
    Busy,
    /// The file was written to meanwhile, by somebody outside of this process.
    #[error("{} was modified by another process during the backup", .0.display())]
    Changed(PathBuf),
}

impl From<sqlx::Error> for SnapshotError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// All databases at one instant.
#[derive(Debug)]
pub struct Snapshots {
    /// How long their writers were held for it.
    pub held: Duration,
    /// One a database, in the order in which they were given.
    pub files: Vec<Snapshot>,
}

/// One database as it was. [`Snapshot::release`] it: until then its log grows.
#[derive(Debug)]
pub struct Snapshot {
    path: PathBuf,
    file: Arc<File>,
    bytes: u64,
    modified: SystemTime,
    reader: SqliteConnection,
}

impl Snapshots {
    /// Holds the writers of all these databases for an instant.
    pub async fn take(databases: &[Database]) -> Result<Self, SnapshotError> {
        for _ in 0..TRIES {
            // So that little is left to copy while everybody waits.
            for database in databases {
                copy_log(&mut *database.writer().await?).await?;
            }
            let readers = try_join_all(databases.iter().map(Database::connection)).await?;
            if let Some(snapshots) = hold(databases, readers).await? {
                return Ok(snapshots);
            }
        }
        Err(SnapshotError::Busy)
    }

    /// Ends all of them.
    pub async fn release(self) {
        join_all(self.files.into_iter().map(Snapshot::release)).await;
    }
}

/// None: it takes too long.
async fn hold(
    databases: &[Database],
    readers: Vec<SqliteConnection>,
) -> Result<Option<Snapshots>, SnapshotError> {
    let begun = Instant::now();
    let deadline = begun + HOLD_MAX;
    let writers = try_join_all(databases.iter().map(Database::writer));
    let Ok(writers) = tokio::time::timeout_at(deadline, writers).await else { return Ok(None) };
    let mut writers = writers?;
    let copied = writers.iter_mut().map(|writer| copy_whole_log(writer, deadline));
    if try_join_all(copied).await?.contains(&false) {
        return Ok(None);
    }
    let beginning = databases.iter().zip(readers);
    let files = try_join_all(beginning.map(|(database, reader)| begin(database, reader))).await?;
    drop(writers);
    Ok(Some(Snapshots { held: begun.elapsed(), files }))
}

/// Copies as much of the log as readers allow; true: all of it.
async fn copy_log(connection: &mut SqliteConnection) -> Result<bool, SnapshotError> {
    let (busy, pages, copied): (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(connection).await?;
    Ok(busy == 0 && pages == copied)
}

async fn copy_whole_log(
    writer: &mut SqliteConnection,
    deadline: Instant,
) -> Result<bool, SnapshotError> {
    while !copy_log(writer).await? {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        tokio::time::sleep(POLL_EVERY).await;
    }
    Ok(true)
}

async fn begin(
    database: &Database,
    mut reader: SqliteConnection,
) -> Result<Snapshot, SnapshotError> {
    // The transaction begins with its first read. All is one query: everybody waits for it.
    let begun = sqlx::raw_sql(
        "BEGIN; SELECT count(*) FROM sqlite_schema;
         SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    );
    let rows = begun.fetch_all(&mut reader).await?;
    let bytes: i64 = rows.last().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
    let file = database.bytes().clone();
    let modified = file.metadata()?.modified()?;
    let (path, bytes) = (database.path().to_owned(), bytes.unsigned_abs());
    Ok(Snapshot { path, file, bytes, modified, reader })
}

impl Snapshot {
    /// The file's name, as `order.db`.
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file, of which the first [`Snapshot::bytes`] are the database. It may be read at any place, and must
    /// not be kept: see [`Database`].
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// How many bytes the log has by now.
    pub fn log_bytes(&self) -> u64 {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        std::fs::metadata(log).map_or(0, |log| log.len())
    }

    /// Checks that what was read is what was there at the instant of the snapshot.
    pub fn check(&self) -> Result<(), SnapshotError> {
        match self.file.metadata()?.modified()? == self.modified {
            true => Ok(()),
            false => Err(SnapshotError::Changed(self.path.clone())),
        }
    }

    /// Lets the log be copied into the file again, and copies it, so that the next commit need not.
    pub async fn release(mut self) {
        let ended = async {
            self.reader.execute("ROLLBACK").await?;
            copy_log(&mut self.reader).await?;
            Ok::<_, SnapshotError>(self.reader.close().await?)
        };
        if let Err(error) = ended.await {
            // The connection is closed all the same.
            tracing::warn!(file = %self.path.display(), %error, "closing a snapshot failed");
        }
    }
}

/// Checks that a file without a log is a sound database; what is wrong with it otherwise.
pub async fn check_file(file: &Path) -> Result<(), String> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true);
    let checked = async {
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let found: String =
            sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>(found)
    };
    match checked.await {
        Ok(found) if found == "ok" => Ok(()),
        Ok(found) => Err(found),
        Err(error) => Err(error.to_string()),
    }
}
