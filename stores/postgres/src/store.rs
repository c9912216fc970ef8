//! The transaction that every journal batch is, written once.
//!
//! ```text
//! BEGIN ─▶ load(keys): lock ─▶ decide (pure) ─▶ write ─▶ outbox, dead letters ─▶ COMMIT
//! ```

use crate::database::{Database, Lease};
use crate::error::Error;
use crate::{dead_letters, outbox};
use async_trait::async_trait;
use ordermill_actors::faults::{self, Point};
use ordermill_actors::ports::{CommitError, Committed, Store};
use ordermill_actors::registry::{HasDatabase, Opened};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::service::{Batch, DecidedBatch, Service};
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use tokio::time::timeout;

/// How long a batch may take before the server counts as gone. The server itself gives a statement
/// up sooner: only one that is silent lets this pass.
const BATCH_TIMEOUT: Duration = Duration::from_secs(30);
/// The same for COMMIT, which waits for the disk.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);

/// A service's own tables: locks and reads rows by key, writes rows; knows no rules.
///
/// Both run inside the batch's transaction. Both use a handful of statements, whatever the batch's
/// size.
#[async_trait]
pub trait Tables: Service {
    /// The rows of these keys, locked in the order of the keys and then read: they cannot change
    /// until the transaction ends, and two batches never wait for each other in a circle.
    async fn load(conn: &mut PgConnection, keys: &Self::Keys) -> Result<Self::Rows, Error>;

    /// Writes rows. An insert that finds a row, or an update that finds none, must fail: `decide_batch`
    /// has seen the rows that are there.
    async fn write(
        conn: &mut PgConnection,
        writes: &Self::Writes,
        at: Timestamp,
    ) -> Result<(), Error>;
}

/// A service whose database may be a schema here.
pub trait PgService: HasDatabase {
    /// The schema.
    const SCHEMA: &'static str;
    /// Its own migrations, beside the common ones.
    const MIGRATIONS: &'static Migrator;

    /// The database, as the service uses it.
    fn opened(database: Database) -> Opened<Self>;
}

#[async_trait]
impl<S: Tables> Store<S> for Database {
    async fn commit(&self, batch: &Batch<S>) -> Result<Committed<S>, CommitError> {
        let mut lease = self.writer().await.map_err(Error::before_commit)?;
        let result = transact(&mut lease, self.owner(), batch).await;
        match &result {
            Ok(_) | Err(CommitError::Contended(_) | CommitError::Data(_)) => lease.keep(),
            Err(CommitError::Unavailable(_)) => drop(lease),
            Err(CommitError::Unknown(_)) => Lease::await_unknown_commit(lease).await,
        }
        result
    }
}

async fn transact<S: Tables>(
    conn: &mut PgConnection,
    owner: i64,
    batch: &Batch<S>,
) -> Result<Committed<S>, CommitError> {
    let filling = async {
        let mut tx = conn.begin().await?;
        match fill(&mut tx, owner, batch).await {
            Ok(written) => Ok((tx, written)),
            Err(error) => {
                // Where the connection is lost, so is the transaction.
                let _ = tx.rollback().await;
                Err(error)
            }
        }
    };
    let filled = timeout(BATCH_TIMEOUT, filling).await;
    let filled = filled.unwrap_or_else(|_| Err(Error::late("a batch", BATCH_TIMEOUT)));
    let (tx, written) = filled.map_err(Error::before_commit)?;
    faults::passes(Point::Written);
    match timeout(COMMIT_TIMEOUT, tx.commit()).await {
        Ok(Ok(())) => Ok(written),
        Ok(Err(error)) => Err(Error::from(error).at_commit()),
        Err(_) => Err(Error::late("COMMIT", COMMIT_TIMEOUT).at_commit()),
    }
}

async fn fill<S: Tables>(
    conn: &mut PgConnection,
    owner: i64,
    batch: &Batch<S>,
) -> Result<Committed<S>, Error> {
    let mut committed = Committed { outcomes: Vec::new(), outbox: Vec::new() };
    if !batch.changes.is_empty() {
        let rows = S::load(conn, &batch.keys()).await?;
        let DecidedBatch { writes, outbox, outcomes } = batch.decide(rows);
        S::write(conn, &writes, batch.at).await?;
        outbox::insert(conn, owner, &outbox).await?;
        committed = Committed { outcomes, outbox };
    }
    outbox::forget(conn, &batch.maintenance.forget).await?;
    outbox::park(conn, &batch.maintenance.park).await?;
    dead_letters::insert(conn, &batch.maintenance.dead_letters).await?;
    outbox::redrive(conn, owner, &batch.maintenance.redrive, batch.at).await?;
    dead_letters::discard(conn, &batch.maintenance.discard, batch.at).await?;
    Ok(committed)
}
