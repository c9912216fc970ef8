//! One service's file: how it is opened, and who may work on it.
//!
//! ```text
//! journal ──▶ the one writing connection ──┐
//!                                          ├──▶ <data_dir>/<name>.db (WAL, flushed at each commit)
//! reads ────▶ a few reading connections ───┘
//! ```
//!
//! Readers see committed rows only and never wait for the writer. All work runs in owned tasks: a
//! caller that vanishes never leaves a transaction half begun on a connection.

use crate::data_dir::DataDir;
use crate::error::Error;
use crate::progress;
use futures::future::join_all;
use ordermill_actors::faults::{self, Point};
use ordermill_actors::metrics::DatabaseMetrics;
use ordermill_actors::ports::ReadError;
use ordermill_rows::Corrupt;
use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::query::Map;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Connection, Sqlite};
use std::fs::File;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Connections that read: enough for the lists of the API, and few threads.
const READERS_MAX: u32 = 4;
/// How long a statement waits for a lock. Only tools outside of this process ever hold one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long work waits for a connection before the database counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pages of the file that the writer keeps in memory, in KiB (negative: SQLite's sign for KiB). There are
/// seven databases, and keys only grow: what is written next lies close to what was written last.
const WRITER_CACHE: &str = "-8192";
/// The same for each reader, which reads through the memory map besides.
const READER_CACHE: &str = "-1024";
/// How much of the file is read through a memory map, in bytes.
const MEMORY_MAP: &str = "268435456";
/// Pages in the log before they are copied into the file: 16 MiB, so that a busy hour copies a page
/// once for many commits.
const CHECKPOINT_PAGES: &str = "4096";
/// The log is cut back to this size in bytes when it has been copied.
const LOG_SIZE_MAX: &str = "67108864";

static COMMON: Migrator = sqlx::migrate!("../../migrations/sqlite/common");
/// The first migration of 0.2.0. Ordermill 0.1 had those below.
const FIRST_MIGRATION: i64 = 201;

/// Why a database cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Ordermill 0.1 has created it.
    #[error(
        "{} was created by Ordermill 0.1, whose data this version does not read; start with an \
            empty data directory, or use version 0.1",
        file.display()
    )]
    TooOld {
        /// The file.
        file: PathBuf,
    },
    /// A newer Ordermill has been here.
    #[error(
        "{} was written by a newer version: migration {version} is unknown; start that version or a later one",
        file.display()
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// The migration.
        version: i64,
    },
    /// An applied migration reads differently here.
    #[error(
        "{} was created by another build: migration {version} differs; start that build, or use \
            another data directory",
        file.display()
    )]
    Altered {
        /// The file.
        file: PathBuf,
        /// The migration.
        version: i64,
    },
    /// A migration failed; the file is as it was.
    #[error("migrating {} failed: {source}", file.display())]
    Migration {
        /// The file.
        file: PathBuf,
        /// Why.
        source: MigrateError,
    },
    /// How far it is cannot be read.
    #[error("reading {} failed: {source}", file.display())]
    Unread {
        /// The file.
        file: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// The file cannot be opened: no database, no permission, no space.
    #[error("opening {} failed: {source}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
}

/// A query with its arguments, as `query_as!` and `query!` make it. `F` takes its rows apart.
pub type Query<F> = Map<'static, Sqlite, F, SqliteArguments>;
/// A statement with its arguments, as `query!` makes it of one that answers no rows.
pub type Statement = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// A service's database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
    options: SqliteConnectOptions,
    /// The file, for those who read its bytes. It stays open as long as the database's connections: to close
    /// any descriptor of a file frees all locks that the process has on it
    /// (<https://sqlite.org/howtocorrupt.html>, section 2.2), and SQLite would not know.
    bytes: Arc<File>,
    /// Nobody else opens the files while one of them is open here.
    directory: DataDir,
    metrics: DatabaseMetrics,
}

impl Database {
    /// The same, whose reads are timed there.
    #[must_use]
    pub fn measured(self, metrics: DatabaseMetrics) -> Self {
        Self { metrics, ..self }
    }

    /// Opens `<directory>/<name>.db`, makes it where it is missing, and brings its tables up to
    /// date: the common ones (versions 201 to 299), then the service's own (from 301 on).
    pub async fn open(directory: &DataDir, name: &str, own: &Migrator) -> Result<Self, OpenError> {
        let file = directory.path().join(format!("{name}.db"));
        let database = Self::connect(directory, &file, true).await?;
        faults::passes(Point::Unmigrated);
        if let Err(source) = migrate(&database.writer, own).await {
            database.close().await;
            return Err(explain(file, source));
        }
        faults::passes(Point::Migrated);
        match progress::read(&database).await {
            Ok((batch, _)) => directory.progress().committed(name, batch),
            Err(error) => {
                database.close().await;
                return Err(error);
            }
        }
        Ok(database)
    }

    /// Opens every database that is in the directory as it is: nothing is made, nothing brought up to date. Refuses
    /// files that no start of this version reads.
    pub async fn open_all(directory: &DataDir) -> Result<Vec<Self>, OpenError> {
        let files = directory.databases().map_err(|source| OpenError::Unusable {
            file: directory.path().to_owned(),
            source: source.into(),
        })?;
        Self::connect_all(directory, files).await
    }

    /// The same for those of the named databases that are there.
    pub async fn open_existing(
        directory: &DataDir,
        names: &[&str],
    ) -> Result<Vec<Self>, OpenError> {
        let files = names.iter().map(|name| directory.path().join(format!("{name}.db")));
        Self::connect_all(directory, files.filter(|file| file.is_file()).collect()).await
    }

    async fn connect_all(directory: &DataDir, files: Vec<PathBuf>) -> Result<Vec<Self>, OpenError> {
        let mut databases: Vec<Self> = Vec::new();
        for file in files {
            let opened = match Self::connect(directory, &file, false).await {
                Ok(database) => {
                    databases.push(database.clone());
                    database.refuse_too_old().await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = opened {
                join_all(databases.iter().map(Self::close)).await;
                return Err(error);
            }
        }
        Ok(databases)
    }

    /// Refuses a file of Ordermill 0.1.
    async fn refuse_too_old(&self) -> Result<(), OpenError> {
        let oldest = self.read(|pool| async move {
            if !has_table(&pool, "_sqlx_migrations").await? {
                return Ok(None);
            }
            let oldest = sqlx::query_scalar("SELECT min(version) FROM _sqlx_migrations");
            Ok(oldest.fetch_one(&pool).await?)
        });
        let file = self.path().to_owned();
        match oldest.await {
            Ok(Some(..FIRST_MIGRATION)) => Err(OpenError::TooOld { file }),
            Ok(_) => Ok(()),
            Err(source) => Err(OpenError::Unread { file, source }),
        }
    }

    async fn connect(directory: &DataDir, file: &Path, make: bool) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(make)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit is a promise (a 201, an ack): it survives a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            // There are none: a row's only parent is the order, which lives in another service.
            .foreign_keys(false)
            .pragma("cache_size", WRITER_CACHE)
            .pragma("mmap_size", MEMORY_MAP)
            .pragma("temp_store", "memory")
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .pragma("journal_size_limit", LOG_SIZE_MAX);
        let unusable = |source| OpenError::Unusable { file: file.to_owned(), source };
        let writer = pool(1).connect_with(options.clone()).await.map_err(unusable)?;
        let bytes = File::open(file).map_err(|error| unusable(error.into()))?;
        let reading = options.clone().read_only(true).pragma("cache_size", READER_CACHE);
        let readers = pool(READERS_MAX).connect_lazy_with(reading);
        let directory = directory.clone();
        let (bytes, metrics) = (Arc::new(bytes), DatabaseMetrics::default());
        Ok(Self { writer, readers, options, bytes, directory, metrics })
    }

    /// Runs reads in a task of their own, on connections that cannot write.
    pub async fn read<R, F, W>(&self, work: W) -> Result<R, ReadError>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, Error>> + Send + 'static,
        W: FnOnce(SqlitePool) -> F,
    {
        let (read, metrics) = (work(self.readers.clone()), self.metrics.clone());
        owned(async move { metrics.read(read).await }).await
    }

    /// All rows of a query, each decoded by `read`.
    pub async fn rows<R, T>(
        &self,
        query: Query<impl FnMut(SqliteRow) -> sqlx::Result<R> + Send + 'static>,
        read: impl Fn(R) -> Result<T, Corrupt> + Send + 'static,
    ) -> Result<Vec<T>, ReadError>
    where
        R: Send + Unpin + 'static,
        T: Send + 'static,
    {
        let found = self.read(move |pool| async move {
            let rows = query.fetch_all(&pool).await?;
            Ok(rows.into_iter().map(read).collect::<Result<_, _>>()?)
        });
        found.await
    }

    /// The only row of a query, if there is one, decoded by `read`.
    pub async fn row<R, T>(
        &self,
        query: Query<impl FnMut(SqliteRow) -> sqlx::Result<R> + Send + 'static>,
        read: impl Fn(R) -> Result<T, Corrupt> + Send + 'static,
    ) -> Result<Option<T>, ReadError>
    where
        R: Send + Unpin + 'static,
        T: Send + 'static,
    {
        let found = self.read(move |pool| async move {
            Ok(query.fetch_optional(&pool).await?.map(read).transpose()?)
        });
        found.await
    }

    /// Runs single writing statements that are no change of an entity (a claim, a retention) in a
    /// task of their own. They wait for the batch that is being committed.
    pub async fn write<R, F, W>(&self, work: W) -> Result<R, ReadError>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, Error>> + Send + 'static,
        W: FnOnce(SqlitePool) -> F,
    {
        owned(work(self.writer.clone())).await
    }

    /// Runs one such statement: how many rows it met.
    pub async fn execute(&self, statement: Statement) -> Result<u64, ReadError> {
        let done = self.write(|writer| async move { Ok(statement.execute(&writer).await?) });
        Ok(done.await?.rows_affected())
    }

    /// The writing connection, for a batch.
    pub(crate) async fn writer(&self) -> Result<PoolConnection<Sqlite>, Error> {
        Ok(self.writer.acquire().await?)
    }

    /// A connection of the caller's own.
    pub(crate) async fn connection(&self) -> Result<SqliteConnection, Error> {
        Ok(SqliteConnection::connect_with(&self.options).await?)
    }

    /// The directory that the file is in.
    pub(crate) fn directory(&self) -> &DataDir {
        &self.directory
    }

    /// The name that it was opened by: that of the file, without its `.db`.
    pub fn name(&self) -> &str {
        self.path().file_stem().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        self.options.get_filename()
    }

    /// The file's bytes.
    pub(crate) fn bytes(&self) -> &Arc<File> {
        &self.bytes
    }

    /// Waits for what is under way, and closes the file: its last connection copies the log into it.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Whether a file has a table: a process may have died before it made the tables of a new file.
pub(crate) async fn has_table(pool: &SqlitePool, name: &str) -> Result<bool, Error> {
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?";
    Ok(sqlx::query_scalar::<_, i64>(tables).bind(name).fetch_one(pool).await? > 0)
}

async fn owned<R: Send + 'static>(
    work: impl Future<Output = Result<R, Error>> + Send + 'static,
) -> Result<R, ReadError> {
    match tokio::spawn(work).await {
        Ok(answer) => Ok(answer?),
        Err(failed) => Err(ReadError::Away(format!("the task of a statement failed: {failed}"))),
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A file does not go away behind an idle connection's back, and does not age.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

async fn migrate(writer: &SqlitePool, own: &Migrator) -> Result<(), MigrateError> {
    let all: Vec<Migration> = COMMON.iter().chain(own.iter()).cloned().collect();
    Migrator::with_migrations(all).run(writer).await
}

pub(crate) fn explain(file: PathBuf, source: MigrateError) -> OpenError {
    match source {
        MigrateError::VersionMissing(..FIRST_MIGRATION) => OpenError::TooOld { file },
        MigrateError::VersionMissing(version) => OpenError::Newer { file, version },
        MigrateError::VersionMismatch(version) => OpenError::Altered { file, version },
        source => OpenError::Migration { file, source },
    }
}
