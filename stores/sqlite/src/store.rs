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
use ordermill_actors::ports::{
    CommitError, Committed, DeadLetterFilter, DeadLetters, Outbox, ReadError, Store,
};
use ordermill_actors::registry::{HasDatabase, Opened};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::service::{Batch, DeadLetter, DecidedBatch, DiscardedLetter, Service};
use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection};
use std::marker::PhantomData;
use uuid::Uuid;

/// A service's own tables: reads rows by key, writes rows; knows no rules.
///
/// Both run inside the batch's transaction, which holds the write lock of the file: the rows that
/// are read cannot change until it ends. Both use a handful of statements, whatever the batch's
/// size, and what is written goes to the connection as one [`Script`].
#[async_trait]
pub trait Tables<S: Service>: Send + Sync + 'static {
    /// The rows of these keys, as they are.
    async fn load(&self, conn: &mut SqliteConnection, keys: &S::Keys) -> Result<S::Rows, Error>;

    /// Says how to write rows. An insert that finds a row, or an update that finds none, must fail: `decide_batch`
    /// has seen the rows that are there.
    fn write(&self, script: &mut Script, writes: &S::Writes, at: Timestamp) -> Result<(), Error>;
}

/// A service whose database may be a file here.
pub trait SqliteService: HasDatabase {
    /// Its own migrations, beside the common ones.
    const MIGRATIONS: &'static Migrator;

    /// The database, as the service uses it.
    fn opened(database: Database) -> Opened<Self>;
}

/// A service's database as its journal and its relay see it.
pub struct SqliteStore<S, T> {
    database: Database,
    tables: T,
    service: PhantomData<fn() -> S>,
}

impl<S: Service, T: Tables<S>> SqliteStore<S, T> {
    /// A store over an open database.
    pub fn new(database: Database, tables: T) -> Self {
        Self { database, tables, service: PhantomData }
    }

    /// The database beneath.
    pub fn database(&self) -> &Database {
        &self.database
    }

    async fn transact(
        &self,
        conn: &mut SqliteConnection,
        batch: &Batch<S>,
    ) -> Result<Committed<S>, CommitError> {
        let mut tx =
            conn.begin_with("BEGIN IMMEDIATE").await.map_err(|e| Error::from(e).before_commit())?;
        let (written, number) = self.fill(&mut tx, batch).await.map_err(Error::before_commit)?;
        faults::passes(Point::Written);
        tx.commit().await.map_err(|e| Error::from(e).at_commit())?;
        self.database.directory().progress().committed(self.database.name(), number);
        Ok(written)
    }

    /// What comes of the batch, and which batch of its file it is.
    async fn fill(
        &self,
        conn: &mut SqliteConnection,
        batch: &Batch<S>,
    ) -> Result<(Committed<S>, i64), Error> {
        let mut committed = Committed { outcomes: Vec::new(), outbox: Vec::new() };
        let mut script = Script::default();
        if !batch.changes.is_empty() {
            let rows = self.tables.load(conn, &batch.keys()).await?;
            let DecidedBatch { writes, outbox, outcomes } = batch.decide(rows);
            self.tables.write(&mut script, &writes, batch.at)?;
            outbox::insert(&mut script, &outbox)?;
            committed = Committed { outcomes, outbox };
        }
        outbox::forget(&mut script, &batch.maintenance.forget)?;
        outbox::park(&mut script, &batch.maintenance.park)?;
        dead_letters::insert(&mut script, &batch.maintenance.dead_letters)?;
        let progress = self.database.directory().progress();
        let number = progress::write(&mut script, progress, self.database.name())?;
        script.run(conn).await?;
        outbox::redrive(conn, &batch.maintenance.redrive, batch.at).await?;
        dead_letters::discard(conn, &batch.maintenance.discard, batch.at).await?;
        Ok((committed, number))
    }
}

#[async_trait]
impl<S: Service, T: Tables<S>> Store<S> for SqliteStore<S, T> {
    async fn commit(&self, batch: &Batch<S>) -> Result<Committed<S>, CommitError> {
        let mut conn = self.database.writer().await.map_err(Error::before_commit)?;
        let result = self.transact(&mut conn, batch).await;
        if matches!(result, Err(CommitError::Unavailable(_) | CommitError::Unknown(_))) {
            // SQLite may have rolled back by itself, of which the driver knows nothing: it would
            // take the next BEGIN for a nested one. Closing the connection also ends any
            // transaction.
            let _ = conn.close().await;
        }
        result
    }
}

#[async_trait]
impl<S: Service, T: Tables<S>> Outbox for SqliteStore<S, T> {
    async fn waiting(&self, after: Option<Uuid>, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        self.database.waiting(after, limit).await
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, ReadError> {
        self.database.due(now, limit).await
    }

    async fn parked(&self) -> Result<u64, ReadError> {
        self.database.parked().await
    }

    async fn adopt(&self, limit: u32) -> Result<u64, ReadError> {
        self.database.adopt(limit).await
    }
}

#[async_trait]
impl<S: Service, T: Tables<S>> DeadLetters for SqliteStore<S, T> {
    async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, ReadError> {
        self.database.dead_letters(filter, limit).await
    }

    async fn dead_letter(&self, id: Uuid) -> Result<Option<DeadLetter>, ReadError> {
        self.database.dead_letter(id).await
    }

    async fn forget_dead_letters(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        self.database.forget_dead_letters(before, limit).await
    }

    async fn discarded_letters(
        &self,
        filter: &DeadLetterFilter,
        limit: u32,
    ) -> Result<Vec<DiscardedLetter>, ReadError> {
        self.database.discarded_letters(filter, limit).await
    }

    async fn forget_discarded(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        self.database.forget_discarded(before, limit).await
    }
}
