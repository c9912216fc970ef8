//! The reading sessions, which connect when somebody reads.
//!
//! Reads wait for their turn before they ask the pool, so that whoever must connect has the whole of its
//! patience for that. The pool's own queue gives a session that is to be made to whoever has waited
//! longest, and so has no time left: it gives up half connected, and the next one too. While hundreds
//! waited nobody ever got through.

use super::ANSWER_TIMEOUT;
use super::session::Plan;
use crate::error::Error;
use sqlx::Connection;
use sqlx::postgres::{PgPool, PgPoolOptions};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// Sessions that read: three processes of seven services stay below the 100 that PostgreSQL allows
/// by default.
const SESSIONS_MAX: u32 = 2;
/// How long a read waits for its turn while no other read is answered, before the database counts as away. Where there
/// is little CPU time, opening the sessions takes longer than 5 s, and no read is answered meanwhile.
const STALLED_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a read waits for its turn while others are answered: the database is only busy.
const TURN_TIMEOUT: Duration = Duration::from_secs(25);
/// How long a read that has its turn may wait for a session to be opened. With little CPU time that takes many seconds,
/// and an attempt that is given up starts from the beginning: with 5 s such a process never connected.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);
/// A session that nobody needs is given up after this time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// A session that rested longer is asked whether it is alive before it is relied on.
const ASK_AFTER: Duration = Duration::from_secs(1);

/// The right to use a reading session.
pub(super) type Turn = OwnedSemaphorePermit;

#[derive(Debug)]
pub(super) struct Readers {
    plan: Plan,
    pool: Mutex<PgPool>,
    turns: Arc<Semaphore>,
    answered_at: Mutex<Instant>,
}

impl Readers {
    pub fn new(plan: Plan) -> Self {
        let pool = Mutex::new(pool(plan.clone()));
        let turns = Arc::new(Semaphore::new(SESSIONS_MAX as usize));
        Self { plan, pool, turns, answered_at: Mutex::new(Instant::now()) }
    }

    /// Waits for a turn, longer while the database answers other reads. Dropping the future leaves the queue.
    pub async fn turn(&self) -> Result<Turn, Error> {
        let mut turn = pin!(self.turns.clone().acquire_owned());
        let begun = Instant::now();
        loop {
            if let Ok(turn) = timeout(STALLED_TIMEOUT, &mut turn).await {
                return Ok(turn.map_err(|_| sqlx::Error::PoolClosed)?);
            }
            let is_stalled = locked(&self.answered_at).elapsed() >= STALLED_TIMEOUT;
            if is_stalled || begun.elapsed() >= TURN_TIMEOUT {
                return Err(Error::late("waiting for a reading session", begun.elapsed()));
            }
        }
    }

    /// Reads in its turn.
    pub async fn read<R, F, W>(&self, turn: Turn, work: W) -> Result<R, Error>
    where
        F: Future<Output = Result<R, Error>>,
        W: FnOnce(PgPool) -> F,
    {
        let pool = self.pool();
        let Ok(answer) = timeout(ANSWER_TIMEOUT, work(pool.clone())).await else {
            self.give_up(&pool);
            return Err(Error::late("a statement", ANSWER_TIMEOUT));
        };
        drop(turn);
        match &answer {
            // A pool does not tell why it has no session: a session of one's own does.
            Err(Error::Sql(sqlx::Error::PoolTimedOut)) => drop(self.plan.open().await?),
            Ok(_) | Err(Error::Sql(sqlx::Error::Database(_)) | Error::Corrupt(_)) => {
                *locked(&self.answered_at) = Instant::now();
            }
            Err(_) => {}
        }
        answer
    }

    pub fn pool(&self) -> PgPool {
        locked(&self.pool).clone()
    }

    /// Goes on with other sessions: one of this pool is silent. Where a network has swallowed its other
    /// end, the system would only notice after a quarter of an hour, and until then it is no use.
    fn give_up(&self, silent: &PgPool) {
        let mut current = locked(&self.pool);
        // Whoever else waited on the same pool may have been here before.
        if std::ptr::eq(current.options(), silent.options()) && !current.is_closed() {
            *current = pool(self.plan.clone());
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
