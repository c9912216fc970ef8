//! The schema of API keys. Every process that listens reads it now and then; the command line writes it.

use crate::columns::time;
use crate::database::{OpenError, QuietSchema};
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::access::KeyStore;
use ordermill_actors::ports::ReadError;
use ordermill_domain::access::{KeyId, KeyRecord, Revocation};
use ordermill_domain::clock::Timestamp;
use ordermill_rows::access::StoredKey;
use sqlx::Connection;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use std::time::Duration;
use tokio::time::timeout;

/// The schema.
pub const SCHEMA: &str = "access";

/// The migrations of the schema. The common ones are not among them: it has no outbox.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres/access");

/// How long an operation may take before the server counts as gone.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(25);

/// The schema of API keys in a database.
#[derive(Clone, Debug)]
pub struct KeySchema(QuietSchema);

impl KeySchema {
    /// The schema in the database that a `postgres://` URL names. Nothing is opened or made yet.
    ///
    /// # Errors
    /// When the URL is malformed.
    pub fn new(url: &str) -> Result<Self, OpenError> {
        Ok(Self(QuietSchema::new(url, SCHEMA, &MIGRATIONS)?))
    }

    /// Runs an operation in a task of its own: a caller that vanishes leaves nothing half done. None: the schema has
    /// never been made, and was not to be.
    async fn owned<T, F>(
        &self,
        make: bool,
        work: impl FnOnce(PgConnection) -> F + Send + 'static,
    ) -> Result<Option<T>, ReadError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send,
    {
        let schema = self.0.clone();
        let away = |error: OpenError| ReadError::Away(error.to_string());
        let working = async move {
            match schema.session(make).await.map_err(away)? {
                Some(conn) => Ok(Some(work(conn).await?)),
                None => Ok(None),
            }
        };
        let late = |_| Err(Error::late("API keys", ANSWER_TIMEOUT).into());
        let task =
            tokio::spawn(
                async move { timeout(ANSWER_TIMEOUT, working).await.unwrap_or_else(late) },
            );
        task.await.map_err(|failed| ReadError::Away(failed.to_string()))?
    }
}

#[async_trait]
impl KeyStore for KeySchema {
    async fn keys(&self) -> Result<Vec<KeyRecord>, ReadError> {
        let found = self.owned(false, async |mut conn| {
            let rows = sqlx::query_as!(
                StoredKey::<Timestamp>,
                "SELECT id, hash, role, customer_id, name, expires_at, created_at, created_by,
                        revoked_at, revoked_reason
                 FROM api_keys ORDER BY created_at, id"
            );
            let rows = rows.fetch_all(&mut conn).await?;
            let _ = conn.close().await;
            Ok(rows.into_iter().map(StoredKey::record).collect::<Result<_, _>>()?)
        });
        Ok(found.await?.unwrap_or_default())
    }

    async fn add(&self, key: &KeyRecord) -> Result<(), ReadError> {
        let key = key.clone();
        let added = self.owned(true, async move |mut conn| {
            add(&mut conn, &key).await?;
            let _ = conn.close().await;
            Ok(())
        });
        added.await.map(Option::unwrap_or_default)
    }

    async fn revoke(&self, id: &KeyId, revocation: &Revocation) -> Result<bool, ReadError> {
        let (id, revocation) = (id.clone(), revocation.clone());
        let revoked = self.owned(false, async move |mut conn| {
            let revoked = revoke(&mut conn, &id, &revocation).await?;
            let _ = conn.close().await;
            Ok(revoked)
        });
        revoked.await.map(Option::unwrap_or_default)
    }

    async fn replace(
        &self,
        id: &KeyId,
        revocation: &Revocation,
        successor: &KeyRecord,
    ) -> Result<bool, ReadError> {
        let (id, revocation, successor) = (id.clone(), revocation.clone(), successor.clone());
        let replaced = self.owned(false, async move |mut conn| {
            let mut tx = conn.begin().await?;
            let revoked = revoke(&mut tx, &id, &revocation).await?;
            if revoked {
                add(&mut tx, &successor).await?;
            }
            tx.commit().await?;
            let _ = conn.close().await;
            Ok(revoked)
        });
        replaced.await.map(Option::unwrap_or_default)
    }
}

async fn add(conn: &mut PgConnection, key: &KeyRecord) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO api_keys (id, hash, role, customer_id, name, expires_at, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        key.id.as_str(),
        key.hash.as_bytes(),
        key.holder.role().as_str(),
        key.holder.customer(),
        key.name,
        key.expires_at.map(time),
        time(key.created_at),
        key.created_by
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn revoke(
    conn: &mut PgConnection,
    id: &KeyId,
    revocation: &Revocation,
) -> Result<bool, Error> {
    let done = sqlx::query!(
        "UPDATE api_keys SET revoked_at = $2, revoked_reason = $3
         WHERE id = $1 AND revoked_at IS NULL",
        id.as_str(),
        time(revocation.at),
        revocation.reason
    );
    Ok(done.execute(conn).await?.rows_affected() == 1)
}
