//! The reading sessions, which connect when somebody reads.
//!
//! Reads wait for their turn before they ask the pool, so that whoever must connect has the whole of its
//! patience for that. The pool's own queue gives a session that is to be made to whoever has waited
//! longest, and so has no time left: it gives up half connected, and the next one too. While hundreds
//! waited nobody ever got through.

use crate::error::Error;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Sessions that read: three processes of seven services stay below the 100 that PostgreSQL allows
/// by default.
const SESSIONS_MAX: u32 = 2;
/// How long a read waits for its turn before the database counts as away.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long connecting may take then.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A session that nobody needs is given up after this time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// A session that rested longer is asked whether it is alive before it is relied on.
const ASK_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Readers {
    options: PgConnectOptions,
    pool: Mutex<PgPool>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub fn new(options: PgConnectOptions) -> Self {
        let pool = Mutex::new(pool(options.clone()));
        let turns = Arc::new(Semaphore::new(SESSIONS_MAX as usize));
        Self { options, pool, turns }
    }

    /// Reads when its turn has come.
    pub fn in_turn<R, F: Future<Output = Result<R, Error>>>(
        &self,
        reading: F,
    ) -> impl Future<Output = Result<R, Error>> + use<R, F> {
        let turns = self.turns.clone();
        async move {
            let _turn = match timeout(TURN_TIMEOUT, turns.acquire()).await {
                Ok(turn) => turn.map_err(|_| sqlx::Error::PoolClosed)?,
                Err(_) => return Err(sqlx::Error::PoolTimedOut.into()),
            };
            reading.await
        }
    }

    pub fn pool(&self) -> PgPool {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on with other sessions: one of this pool is silent. Where a network has swallowed its other
    /// end, the system would only notice after a quarter of an hour, and until then it is no use.
    pub fn give_up(&self, silent: &PgPool) {
        let mut current = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever else waited on the same pool may have been here before.
        if std::ptr::eq(current.options(), silent.options()) && !current.is_closed() {
            *current = pool(self.options.clone());
        }
    }
}

fn pool(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(SESSIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE_TIMEOUT)
        .max_lifetime(None)
        .test_before_acquire(false)
        .before_acquire(|conn, session| {
            Box::pin(async move {
                if session.idle_for > ASK_AFTER {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}
