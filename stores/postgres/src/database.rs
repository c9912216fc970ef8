//! One service's schema: how it is opened, and who may work on it.
//!
//! ```text
//! journal ──▶ the one writing session, which holds the owner's lock ──┐
//!                                                                      ├──▶ schema <name>
//! reads ────▶ a few reading sessions ──────────────────────────────────┘
//! ```
//!
//! All work runs in owned tasks: a caller that vanishes never leaves a statement half done on a
//! session.
//!
//! # Who owns an outbox row
//!
//! Each process has a number. It stands in the rows that the process writes, and each of its writing
//! sessions holds the advisory lock of that number, shared. Whoever can take the lock for itself
//! knows that the owner is dead, and takes over what it left: no clock decides, and a process that is
//! stopped is not dead. The lock's key is the number as a pair of integers, which is another space of
//! keys than the single ones that migrations lock.

mod lease;
mod open;
mod open_error;
mod readers;
mod session;

pub(crate) use lease::Lease;
pub use open::Migrate;
pub(crate) use open::QuietSchema;
pub use open_error::OpenError;
pub use session::Unfit;

use crate::error::Error;
use futures::future::BoxFuture;
use lease::Writer;
use ordermill_actors::metrics::DatabaseMetrics;
use ordermill_actors::ports::ReadError;
use ordermill_rows::Corrupt;
use readers::Readers;
use sqlx::postgres::{PgArguments, PgConnection, PgPool, PgRow, Postgres};
use sqlx::query::Map;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

/// How long reads, or a single writing statement, may take before the server counts as gone. The
/// server itself gives a statement up sooner.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(25);

/// A query with its arguments, as `query_as!` and `query!` make it. `F` takes its rows apart.
pub type Query<F> = Map<'static, Postgres, F, PgArguments>;
/// A statement with its arguments, as `query!` makes it of one that answers no rows.
pub type Statement = sqlx::query::Query<'static, Postgres, PgArguments>;

/// A service's database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
    owner: i64,
    identity: Uuid,
    metrics: DatabaseMetrics,
}

/// The number of a process, as the key of its advisory lock.
pub(crate) fn lock_key(owner: i64) -> (i32, i32) {
    ((owner >> 32) as i32, owner as i32)
}

impl Database {
    /// The same, whose reads are timed there.
    #[must_use]
    pub fn measured(self, metrics: DatabaseMetrics) -> Self {
        Self { metrics, ..self }
    }

    /// Runs reads in a task of their own, on sessions that cannot write.
    pub async fn read<R, F, W>(&self, work: W) -> Result<R, ReadError>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, Error>> + Send + 'static,
        W: FnOnce(PgPool) -> F + Send + 'static,
    {
        let begun = Instant::now();
        let turn = self.readers.turn().await.inspect_err(|_| self.metrics.gave_up())?;
        self.metrics.waited(begun.elapsed());
        let (readers, metrics) = (self.readers.clone(), self.metrics.clone());
        owned(async move { metrics.read(readers.read(turn, work)).await }).await
    }

    /// All rows of a query, each decoded by `read`.
    pub async fn rows<R, T>(
        &self,
        query: Query<impl FnMut(PgRow) -> sqlx::Result<R> + Send + 'static>,
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
        query: Query<impl FnMut(PgRow) -> sqlx::Result<R> + Send + 'static>,
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

    /// Runs writing statements that are no change of an entity (a claim, a retention) in a task of
    /// their own. They wait for the batch that is being committed.
    pub async fn write<R, W>(&self, work: W) -> Result<R, ReadError>
    where
        R: Send + 'static,
        W: FnOnce(&mut PgConnection) -> BoxFuture<'_, Result<R, Error>> + Send + 'static,
    {
        let writer = self.writer.clone();
        let leased = async move {
            let mut lease = writer.lease().await?;
            let done = work(&mut lease).await?;
            lease.keep();
            Ok(done)
        };
        let late = |_| Err(Error::late("a statement", ANSWER_TIMEOUT));
        owned(async move { timeout(ANSWER_TIMEOUT, leased).await.unwrap_or_else(late) }).await
    }

    /// Runs one such statement: how many rows it met.
    pub async fn execute(&self, statement: Statement) -> Result<u64, ReadError> {
        let done = self.write(|conn| Box::pin(async move { Ok(statement.execute(conn).await?) }));
        Ok(done.await?.rows_affected())
    }

    /// Which installation the schema belongs to: drawn when it was made, and kept by its backups.
    pub fn identity(&self) -> Uuid {
        self.identity
    }

    /// The number of this process, as the owner of outbox rows.
    pub(crate) fn owner(&self) -> i64 {
        self.owner
    }

    /// The writing session, for a batch.
    pub(crate) async fn writer(&self) -> Result<Lease, Error> {
        self.writer.lease().await
    }

    /// Waits for what is under way, and leaves the database: from then on this process counts as
    /// dead, and what its outbox holds is others' to take over.
    pub async fn close(&self) {
        self.readers.pool().close().await;
        self.writer.close().await;
    }
}

async fn owned<R: Send + 'static>(
    work: impl Future<Output = Result<R, Error>> + Send + 'static,
) -> Result<R, ReadError> {
    match tokio::spawn(work).await {
        Ok(answer) => Ok(answer?),
        Err(error) => Err(ReadError::Away(format!("the task of a statement failed: {error}"))),
    }
}
