//! The reading sessions, which connect when somebody reads.
//!
//! Reads wait for their turn before they ask the pool, so that whoever must connect has the whole of its
//! patience for that. The pool's own queue gives a session that is to be made to whoever has waited
//! longest, and so has no time left: it gives up half connected, and the next one too. While hundreds
//! waited nobody ever got through.

use super::session::Plan;
use crate::error::Error;
use sqlx::Connection;
use sqlx::postgres::{PgPool, PgPoolOptions};
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
    plan: Plan,
    pool: Mutex<PgPool>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub fn new(plan: Plan) -> Self {
        let pool = Mutex::new(pool(plan.clone()));
        let turns = Arc::new(Semaphore::new(SESSIONS_MAX as usize));
        Self { plan, pool, turns }
    }

    /// Reads when its turn has come.
    pub fn in_turn<R, F: Future<Output = Result<R, Error>>>(
        &self,
        reading: F,
    ) -> impl Future<Output = Result<R, Error>> + use<R, F> {
        let (turns, plan) = (self.turns.clone(), self.plan.clone());
        async move {
            let _turn = match timeout(TURN_TIMEOUT, turns.acquire()).await {
                Ok(turn) => turn.map_err(|_| sqlx::Error::PoolClosed)?,
                Err(_) => return Err(sqlx::Error::PoolTimedOut.into()),
            };
            match reading.await {
                // A pool does not tell why it has no session: a session of one's own does.
                Err(Error::Sql(sqlx::Error::PoolTimedOut)) => {
                    let session = plan.open().await?;
                    let _ = session.conn.close().await;
                    Err(sqlx::Error::PoolTimedOut.into())
                }
                done => done,
            }
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
            *current = pool(self.plan.clone());
        }
    }
}

fn pool(plan: Plan) -> PgPool {
    let options = plan.options().clone();
    PgPoolOptions::new()
        .max_connections(SESSIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE_TIMEOUT)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(move |conn, _| {
            let plan = plan.clone();
            Box::pin(async move {
                plan.prepare(conn).await?;
                Ok(())
            })
        })
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
