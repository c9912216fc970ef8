//! The transaction that every journal batch is, written once.
//!
//! ```text
//! BEGIN IMMEDIATE ─▶ load(keys) ─▶ decide (pure) ─▶ write, outbox, dead letters in one script ─▶ COMMIT
//! ```

use crate::database::Database;
use crate::error::Error;
use crate::script::Script;
use crate::{dead_letters, outbox, progress};
use async_trait::async_trait;
use ordermill_actors::faults::{self, Point};
use ordermill_actors::ports::{CommitError, Committed, Store};
use ordermill_actors::registry::{HasDatabase, Opened};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::service::{Batch, DecidedBatch, Service};
use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection};

/// A service's own tables: reads rows by key, writes rows; knows no rules.
///
/// Both run inside the batch's transaction, which holds the write lock of the file: the rows that
/// are read cannot change until it ends. Both use a handful of statements, whatever the batch's
/// size, and what is written goes to the connection as one [`Script`].
#[async_trait]
pub trait Tables: Service {
    /// The rows of these keys, as they are.
    async fn load(conn: &mut SqliteConnection, keys: &Self::Keys) -> Result<Self::Rows, Error>;

    /// Says how to write rows. An insert that finds a row, or an update that finds none, must fail: `decide_batch`
    /// has seen the rows that are there.
    fn write(script: &mut Script, writes: &Self::Writes, at: Timestamp) -> Result<(), Error>;
}

/// A service whose database may be a file here.
pub trait SqliteService: HasDatabase {
    /// Its own migrations, beside the common ones.
    const MIGRATIONS: &'static Migrator;

    /// The database, as the service uses it.
    fn opened(database: Database) -> Opened<Self>;
}

#[async_trait]
impl<S: Tables> Store<S> for Database {
    async fn commit(&self, batch: &Batch<S>) -> Result<Committed<S>, CommitError> {
        let mut conn = self.writer().await.map_err(Error::before_commit)?;
        let result = transact(self, &mut conn, batch).await;
        if matches!(result, Err(CommitError::Unavailable(_) | CommitError::Unknown(_))) {
            // SQLite may have rolled back by itself, of which the driver knows nothing: it would
            // take the next BEGIN for a nested one. Closing the connection also ends any
            // transaction.
            let _ = conn.close().await;
        }
        result
    }
}

async fn transact<S: Tables>(
    database: &Database,
    conn: &mut SqliteConnection,
    batch: &Batch<S>,
) -> Result<Committed<S>, CommitError> {
    let mut tx =
        conn.begin_with("BEGIN IMMEDIATE").await.map_err(|e| Error::from(e).before_commit())?;
    let (written, number) = fill(database, &mut tx, batch).await.map_err(Error::before_commit)?;
    faults::passes(Point::Written);
    tx.commit().await.map_err(|e| Error::from(e).at_commit())?;
    database.directory().progress().committed(database.name(), number);
    Ok(written)
}

/// The outcome of the batch, and the number of the batch in its file.
async fn fill<S: Tables>(
    database: &Database,
    conn: &mut SqliteConnection,
    batch: &Batch<S>,
) -> Result<(Committed<S>, i64), Error> {
    let mut committed = Committed { outcomes: Vec::new(), outbox: Vec::new() };
    let mut script = Script::default();
    if !batch.changes.is_empty() {
        let rows = S::load(conn, &batch.keys()).await?;
        let DecidedBatch { writes, outbox, outcomes } = batch.decide(rows);
        S::write(&mut script, &writes, batch.at)?;
        outbox::insert(&mut script, &outbox)?;
        committed = Committed { outcomes, outbox };
    }
    outbox::forget(&mut script, &batch.maintenance.forget)?;
    outbox::park(&mut script, &batch.maintenance.park)?;
    dead_letters::insert(&mut script, &batch.maintenance.dead_letters)?;
    let progress = database.directory().progress();
    let number = progress::write(&mut script, progress, database.name())?;
    script.run(conn).await?;
    outbox::redrive(conn, &batch.maintenance.redrive, batch.at).await?;
    dead_letters::discard(conn, &batch.maintenance.discard, batch.at).await?;
    Ok((committed, number))
}
