//! Whether the files of a data directory are of one moment.
//!
//! Every batch writes, in its own transaction, which batch of its file it is and which batch each other file
//! of the directory had committed when it began:
//!
//! ```text
//! inventory.db  batch 812   had seen: order 640, payment 377, …
//! order.db      batch 639   ─▶ older than what inventory.db has seen of it
//! ```
//!
//! On the disk of a process that was stopped, killed or lost its power, no file can be older than what another one has
//! seen of it: a batch is announced to the others only after its commit is flushed. In a directory whose files
//! were copied one after the other from a running server it can, and so it can where one file was replaced by that
//! of a backup. The broker has no messages that would bring what is missing, so a start on such files would sell
//! what is sold or lose what was paid. It is refused, unless a person accepts it.

use crate::data_dir::DataDir;
use crate::database::{Database, OpenError, has_table};
use crate::error::Error;
use crate::script::Script;
use futures::future::join_all;
use ordermill_actors::ports::ReadError;
use ordermill_rows::{from_json, to_json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use thiserror::Error as ThisError;

/// The last committed batch of each file.
type Batches = BTreeMap<String, i64>;

/// What this process's files have committed so far, by the names of their databases.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Batches>);

impl Progress {
    /// Notes that a file has committed this batch.
    pub(crate) fn committed(&self, name: &str, batch: i64) {
        let mut batches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match batches.get_mut(name) {
            Some(last) => *last = batch,
            None => _ = batches.insert(name.to_owned(), batch),
        }
    }

    fn seen(&self) -> Batches {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Adds to a batch which one it is; its number. Call it within the transaction.
pub(crate) fn write(script: &mut Script, progress: &Progress, name: &str) -> Result<i64, Error> {
    let mut seen = progress.seen();
    let batch = seen.remove(name).unwrap_or_default() + 1;
    let seen = to_json("batches", &seen)?;
    script.add("UPDATE progress SET batch = ?, seen = ?").with(batch)?.with(seen)?;
    Ok(batch)
}

/// Files that are of different moments.
#[derive(Debug, ThisError, PartialEq, Eq)]
#[error(
    "the files in the data directory are from different points in time: {newer}.db contains batch \
     {seen} of {older}.db, {}. They were copied while a server was running, or one was replaced or \
     removed. Restore a backup (`ordermill backup`), or a copy of all files of a stopped server. \
     Without a backup, start once with ORDERMILL_MIXED_FILES=accept and run `ordermill check` to \
     find the differences",
    self.older_state()
)]
pub struct Mixed {
    /// The database that has seen more.
    pub newer: String,
    /// The database that has less.
    pub older: String,
    /// What the one has seen of the other.
    pub seen: i64,
    /// What the other has. None: it is not there.
    pub batch: Option<i64>,
}

impl Mixed {
    fn older_state(&self) -> String {
        match self.batch {
            Some(batch) => format!("but the last batch of {}.db is {batch}", self.older),
            None => "which is missing".to_owned(),
        }
    }

    fn behind(&self) -> i64 {
        self.seen - self.batch.unwrap_or_default()
    }
}

/// Compares those of the named databases that are in a directory, before a start opens them. No file is made, and no
/// row changed.
///
/// # Errors
/// When a file cannot be opened or read.
pub async fn compare_files(
    directory: &DataDir,
    names: &[&str],
) -> Result<Option<Mixed>, OpenError> {
    let databases = Database::open_existing(directory, names).await?;
    let compared = compare(&databases).await;
    join_all(databases.iter().map(Database::close)).await;
    compared
}

/// Compares all files of a directory; they are all open, and nothing has been written yet.
///
/// # Errors
/// When a file cannot be read.
pub async fn compare(databases: &[Database]) -> Result<Option<Mixed>, OpenError> {
    let mut files = BTreeMap::new();
    for database in databases {
        files.insert(database.name().to_owned(), read(database).await?);
    }
    let claims = files
        .iter()
        .flat_map(|(newer, (_, seen))| seen.iter().map(move |(older, seen)| (newer, older, *seen)));
    let mixed = claims.filter_map(|(newer, older, seen)| {
        let batch = files.get(older).map(|(batch, _)| *batch);
        let (newer, older) = (newer.clone(), older.clone());
        (batch.unwrap_or_default() < seen).then_some(Mixed { newer, older, seen, batch })
    });
    // The one that is furthest behind tells most.
    Ok(mixed.max_by_key(Mixed::behind))
}

/// Treats the files as being of one moment from now on.
pub async fn accept(databases: &[Database]) -> Result<(), ReadError> {
    for database in databases {
        let forget = |writer| async move {
            sqlx::query("UPDATE progress SET seen = '{}'").execute(&writer).await?;
            Ok(())
        };
        database.write(forget).await?;
    }
    Ok(())
}

/// A file's last batch, and what it had seen of the others. Nothing is committed to a file without the table.
pub(crate) async fn read(database: &Database) -> Result<(i64, Batches), OpenError> {
    let stored = database.read(|pool| async move {
        if !has_table(&pool, "progress").await? {
            return Ok((0, Batches::new()));
        }
        let stored = sqlx::query_as("SELECT batch, seen FROM progress");
        let (batch, seen): (i64, String) = stored.fetch_one(&pool).await?;
        Ok((batch, from_json("batches", &seen)?))
    });
    let unread = |source| OpenError::Unread { file: database.path().to_owned(), source };
    stored.await.map_err(unread)
}
