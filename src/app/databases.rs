//! Opens the databases of the services that run here: SQLite files, or schemas on PostgreSQL.
//!
//! A process that ends in good order closes its SQLite files: the last connection copies the write-ahead
//! log into the file and deletes it. The `.db` files alone are then the whole shop.

use crate::app::boot::{Boot, NotReady};
use crate::backup::Backups;
use crate::config::{Config, Infrastructure, Servers};
use anyhow::{anyhow, bail};
use async_trait::async_trait;
use futures::future::join_all;
use ordermill_actors::metrics::DatabaseFamilies;
use ordermill_actors::registry::{DATABASE_NAMES, OpenDatabase, Opened, ServiceDatabases};
use ordermill_domain::clock::World;
use ordermill_postgres::{Database as PgDatabase, Migrate, PgService};
use ordermill_sqlite::{DataDir, Database as SqliteDatabase, SqliteService, progress};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The files in a data directory: each is `<name>.db`.
pub const FILES: [&str; DATABASE_NAMES.len()] = DATABASE_NAMES;

/// The least time that the databases have to be closed in, however long all else took: it copies up to
/// 64 MiB of log a file.
pub const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Where the databases are.
pub enum Databases {
    /// Files under a directory that nobody else uses meanwhile.
    Sqlite {
        /// Where.
        directory: DataDir,
        /// Those that are open.
        opened: Mutex<Vec<SqliteDatabase>>,
    },
    /// PostgreSQL, shared with other processes.
    Postgres {
        /// Where.
        servers: Box<Servers>,
        /// This process's number as the owner of outbox rows.
        owner: i64,
        /// What becomes of a schema that is behind.
        migrate: Migrate,
    },
}

fn failed(name: &str) -> String {
    format!("the {name} database")
}

impl Databases {
    /// The databases that the settings name.
    pub fn new(config: &Config, owner: i64) -> anyhow::Result<Self> {
        Ok(match &config.infrastructure {
            Infrastructure::Embedded => Self::Sqlite {
                directory: DataDir::open(&config.data_dir)?,
                opened: Mutex::default(),
            },
            Infrastructure::Servers(servers) => {
                let migrate = if config.migrates { Migrate::Apply } else { Migrate::Refuse };
                Self::Postgres { servers: servers.clone(), owner, migrate }
            }
        })
    }

    /// Checks that the files of a data directory are of one moment, before any of them is made. True when they are not
    /// and that is accepted.
    async fn are_mixed(&self, accept: bool) -> anyhow::Result<bool> {
        let Self::Sqlite { directory, .. } = self else { return Ok(false) };
        let Some(mixed) = progress::compare_files(directory, &FILES).await? else {
            return Ok(false);
        };
        if !accept {
            bail!(mixed);
        }
        tracing::warn!(%mixed, "starting with files from different points in time");
        Ok(true)
    }

    /// Treats the files, which are all open, as being of one moment from now on.
    async fn accept_mixed(&self) -> anyhow::Result<()> {
        let Self::Sqlite { opened, .. } = self else { return Ok(()) };
        let opened = opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(progress::accept(&opened).await?)
    }

    /// Takes backups of all that is open by now; None: the data are on servers.
    pub fn backups(&self, world: &World, stop: &CancellationToken) -> Option<Backups> {
        let Self::Sqlite { opened, .. } = self else { return None };
        let opened = opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(Backups::of(opened, world.clone(), stop.clone()))
    }

    /// Writes down where this process serves, for commands that find the data directory in use.
    pub fn serve_at(&self, url: &str) {
        let Self::Sqlite { directory, .. } = self else { return };
        if let Err(error) = directory.serves_at(url) {
            tracing::warn!(%error, "writing the server URL to the lock file of the data directory failed");
        }
    }

    /// Closes the SQLite files, once nothing writes to them any more. PostgreSQL needs no such care: what is
    /// committed there is its own.
    pub async fn close(&self, within: Duration) {
        let Self::Sqlite { opened, .. } = self else { return };
        let opened = std::mem::take(&mut *opened.lock().unwrap_or_else(PoisonError::into_inner));
        let closing = join_all(opened.iter().map(SqliteDatabase::close));
        if tokio::time::timeout(within, closing).await.is_err() {
            tracing::warn!(
                "a database still has readers: its `-wal` file remains and belongs to its `.db` file"
            );
        }
    }

    /// Opens the databases for work on them: files of different moments are refused, unless that is accepted.
    pub async fn open_unmixed(
        &self,
        config: &Config,
        boot: &Boot,
        metrics: &DatabaseFamilies,
    ) -> anyhow::Result<ServiceDatabases> {
        let are_mixed = self.are_mixed(config.accepts_mixed_files).await?;
        let stores = self.open(config, boot, metrics).await?;
        if are_mixed {
            self.accept_mixed().await?;
        }
        Ok(stores)
    }

    /// Opens the databases of the services that run here; their reads are timed there.
    pub async fn open(
        &self,
        config: &Config,
        boot: &Boot,
        metrics: &DatabaseFamilies,
    ) -> anyhow::Result<ServiceDatabases> {
        let opener = Opener { databases: self, boot, metrics };
        ServiceDatabases::open(&opener, |service| config.services.contains(&service)).await
    }
}

/// Opens databases during a start.
struct Opener<'a> {
    databases: &'a Databases,
    boot: &'a Boot,
    metrics: &'a DatabaseFamilies,
}

#[async_trait]
impl<S: SqliteService + PgService> OpenDatabase<S, anyhow::Error> for Opener<'_> {
    async fn open(&self) -> anyhow::Result<Opened<S>> {
        let metrics = self.metrics.of(S::DATABASE);
        match self.databases {
            Databases::Sqlite { directory, opened } => {
                let migrations = <S as SqliteService>::MIGRATIONS;
                let database = SqliteDatabase::open(directory, S::DATABASE, migrations)
                    .await
                    .map_err(|error| anyhow!(error).context(failed(S::DATABASE)))?;
                opened.lock().unwrap_or_else(PoisonError::into_inner).push(database.clone());
                Ok(<S as SqliteService>::opened(database.measured(metrics)))
            }
            Databases::Postgres { servers, owner, migrate } => {
                let url = servers
                    .named(S::DATABASE, S::NAME)
                    .ok_or_else(|| anyhow!("no URL is set for the {} database", S::DATABASE))?;
                let open = async || {
                    let migrations = <S as PgService>::MIGRATIONS;
                    let (url, schema) = (url.expose(), S::SCHEMA);
                    let opened = PgDatabase::open_with(url, schema, migrations, *owner, *migrate);
                    opened.await.map_err(|error| match error.may_pass() {
                        true => NotReady::Again(anyhow!(error)),
                        false => NotReady::Never(anyhow!(error).context(failed(S::DATABASE))),
                    })
                };
                let database = self.boot.wait_for(&failed(S::DATABASE), open).await?;
                Ok(<S as PgService>::opened(database.measured(metrics)))
            }
        }
    }
}
