//! The file of API keys: `access.db`, beside the services' files but outside the lock of the data directory.
//!
//! The server reads it, and the command line writes it meanwhile. So nobody keeps it open: each operation is a
//! connection of its own, and the file needs no log beside it.

use crate::columns::{Micros, micros};
use crate::data_dir::KEY_FILE;
use crate::database::{OpenError, explain};
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::access::KeyStore;
use ordermill_actors::ports::ReadError;
use ordermill_domain::access::{KeyId, KeyRecord, Revocation};
use ordermill_rows::access::StoredKey;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The migrations of the file.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite/access");

/// How long a statement waits for another process's: each takes milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a migration is tried: another process may make the same one at the same moment.
const MIGRATION_TRIES: u32 = 3;

/// The file of API keys in a data directory.
#[derive(Clone, Debug)]
pub struct KeyFile {
    file: PathBuf,
}

impl KeyFile {
    /// The file in this directory. Nothing is opened or made yet.
    pub fn in_directory(directory: &Path) -> Self {
        Self { file: directory.join(KEY_FILE) }
    }

    /// Opens the file, which is made where it is missing, and brings it up to date.
    async fn open(&self) -> Result<SqliteConnection, OpenError> {
        let unusable = |source| OpenError::Unusable { file: self.file.clone(), source };
        let directory = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory).map_err(|error| unusable(error.into()))?;
        let options = SqliteConnectOptions::new()
            .filename(&self.file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Delete)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let mut conn = options.connect().await.map_err(unusable)?;
        let mut tries = 1;
        while let Err(source) = MIGRATIONS.run_direct(None, &mut conn, false).await {
            if tries == MIGRATION_TRIES {
                return Err(explain(self.file.clone(), source));
            }
            tries += 1;
        }
        Ok(conn)
    }

    /// Runs an operation in a task of its own: a caller that vanishes leaves nothing half done.
    async fn owned<T, F>(
        &self,
        work: impl FnOnce(SqliteConnection) -> F + Send + 'static,
    ) -> Result<T, ReadError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send,
    {
        let this = self.clone();
        let task = tokio::spawn(async move {
            let conn = this.open().await.map_err(|error| ReadError::Away(error.to_string()))?;
            work(conn).await.map_err(ReadError::from)
        });
        task.await.map_err(|failed| ReadError::Away(failed.to_string()))?
    }

    /// False where the file has never been made. An error is not taken for that.
    fn exists(&self) -> Result<bool, ReadError> {
        let away = |error: io::Error| ReadError::Away(format!("{}: {error}", self.file.display()));
        self.file.try_exists().map_err(away)
    }
}

#[async_trait]
impl KeyStore for KeyFile {
    async fn keys(&self) -> Result<Vec<KeyRecord>, ReadError> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        let found = self.owned(async |mut conn| {
            let rows = sqlx::query_as!(
                StoredKey::<Micros>,
                "SELECT id, hash, role, customer_id, name, expires_at, created_at, created_by,
                        revoked_at, revoked_reason
                 FROM api_keys ORDER BY created_at, id"
            );
            let rows = rows.fetch_all(&mut conn).await?;
            conn.close().await?;
            Ok(rows.into_iter().map(StoredKey::record).collect::<Result<_, _>>()?)
        });
        found.await
    }

    async fn add(&self, key: &KeyRecord) -> Result<(), ReadError> {
        let key = key.clone();
        let added = self.owned(async move |mut conn| {
            add(&mut conn, &key).await?;
            Ok(conn.close().await?)
        });
        added.await
    }

    async fn revoke(&self, id: &KeyId, revocation: &Revocation) -> Result<bool, ReadError> {
        if !self.exists()? {
            return Ok(false);
        }
        let (id, revocation) = (id.clone(), revocation.clone());
        let revoked = self.owned(async move |mut conn| {
            let revoked = revoke(&mut conn, &id, &revocation).await?;
            conn.close().await?;
            Ok(revoked)
        });
        revoked.await
    }

    async fn replace(
        &self,
        id: &KeyId,
        revocation: &Revocation,
        successor: &KeyRecord,
    ) -> Result<bool, ReadError> {
        if !self.exists()? {
            return Ok(false);
        }
        let (id, revocation, successor) = (id.clone(), revocation.clone(), successor.clone());
        let replaced = self.owned(async move |mut conn| {
            let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
            let revoked = revoke(&mut tx, &id, &revocation).await?;
            if revoked {
                add(&mut tx, &successor).await?;
            }
            tx.commit().await?;
            conn.close().await?;
            Ok(revoked)
        });
        replaced.await
    }
}

async fn add(conn: &mut SqliteConnection, key: &KeyRecord) -> Result<(), Error> {
    let (id, hash, role) = (key.id.as_str(), key.hash.as_bytes(), key.holder.role().as_str());
    let (customer, expires_at) = (key.holder.customer(), key.expires_at.map(micros));
    let created_at = micros(key.created_at);
    sqlx::query!(
        "INSERT INTO api_keys (id, hash, role, customer_id, name, expires_at, created_at, created_by)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        id,
        hash,
        role,
        customer,
        key.name,
        expires_at,
        created_at,
        key.created_by
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn revoke(
    conn: &mut SqliteConnection,
    id: &KeyId,
    revocation: &Revocation,
) -> Result<bool, Error> {
    let (id, at) = (id.as_str(), micros(revocation.at));
    let done = sqlx::query!(
        "UPDATE api_keys SET revoked_at = ?, revoked_reason = ? WHERE id = ? AND revoked_at IS NULL",
        at,
        revocation.reason,
        id
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}
