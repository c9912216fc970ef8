//! The reading sessions, which connect when somebody reads.

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Sessions that read: three processes of seven services stay below the 100 that PostgreSQL allows
/// by default.
const SESSIONS_MAX: u32 = 2;
/// How long a read waits for a session before the database counts as away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A session that nobody needs is given up after this time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// A session that rested longer is asked whether it is alive before it is relied on.
const ASK_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Readers {
    options: PgConnectOptions,
    pool: Mutex<PgPool>,
}

impl Readers {
    pub fn new(options: PgConnectOptions) -> Self {
        let pool = Mutex::new(pool(options.clone()));
        Self { options, pool }
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
