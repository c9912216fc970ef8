//! The writing session: one, lent to one batch at a time, connected again when it was lost.
//!
//! A lease that is dropped has its connection closed, and the server rolls back whatever was begun on
//! it. Only who knows that the session is in order gives it back.

use super::{lock_key, open};
use crate::error::Error;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

/// How long work waits for the session before the database counts as away: longer than a batch that
/// waits for another process's locks takes.
const LEASE_TIMEOUT: Duration = Duration::from_secs(10);
/// A session that rested longer is asked whether it is alive before it is relied on.
const ASK_AFTER: Duration = Duration::from_secs(1);
/// How long it may take to answer that.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the end of a lost session's transaction is waited for.
const SEE_OFF_TIMEOUT: Duration = Duration::from_secs(5);
/// How often it is looked for.
const SEE_OFF_EVERY: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Writer {
    options: PgConnectOptions,
    owner: i64,
    slot: Arc<Mutex<Slot>>,
}

#[derive(Debug, Default)]
struct Slot {
    session: Option<Session>,
    closed: bool,
}

#[derive(Debug)]
struct Session {
    conn: PgConnection,
    /// The server's process behind it.
    backend: i32,
    used_at: Instant,
}

impl Writer {
    /// Connects, and takes the owner's lock.
    pub async fn open(options: PgConnectOptions, owner: i64) -> Result<Self, Error> {
        let session = Some(connect(&options, owner).await?);
        let slot = Arc::new(Mutex::new(Slot { session, closed: false }));
        Ok(Self { options, owner, slot })
    }

    /// The session, alive as far as one can know, for whoever asks first.
    pub async fn lease(self: &Arc<Self>) -> Result<Lease, Error> {
        let locking = timeout(LEASE_TIMEOUT, self.slot.clone().lock_owned()).await;
        let mut slot = locking.map_err(|_| sqlx::Error::PoolTimedOut)?;
        if slot.closed {
            return Err(sqlx::Error::PoolClosed.into());
        }
        let session = match slot.session.take() {
            Some(session) => session.alive().await,
            None => None,
        };
        let session = match session {
            Some(session) => session,
            None => connect(&self.options, self.owner).await?,
        };
        Ok(Lease { writer: self.clone(), slot, session: Some(session) })
    }

    /// Waits for who has the session, and gives up the owner's lock with it.
    pub async fn close(&self) {
        let mut slot = self.slot.lock().await;
        slot.closed = true;
        if let Some(mut session) = slot.session.take() {
            // The server notices a closed connection a moment later: the lock is to be free now.
            let unlocking = sqlx::query("SELECT pg_advisory_unlock_all()");
            let leaving = async {
                unlocking.execute(&mut session.conn).await?;
                session.conn.close().await
            };
            let _ = timeout(ASK_TIMEOUT, leaving).await;
        }
    }
}

async fn connect(options: &PgConnectOptions, owner: i64) -> Result<Session, Error> {
    let connecting = async {
        let mut conn = options.connect().await?;
        let (high, low) = lock_key(owner);
        // A server that does not wait for its disk would have us promise what it forgets.
        let backend = sqlx::query_scalar!(
            r#"SELECT pg_backend_pid() AS "backend!"
               FROM pg_advisory_lock_shared($1, $2),
                    set_config('synchronous_commit',
                               CASE current_setting('synchronous_commit')
                                   WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit')
                               END, false)"#,
            high,
            low
        )
        .fetch_one(&mut conn)
        .await?;
        Ok(Session { conn, backend, used_at: Instant::now() })
    };
    match timeout(open::CONNECT_TIMEOUT, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(Error::late("connecting", open::CONNECT_TIMEOUT)),
    }
}

impl Session {
    async fn alive(mut self) -> Option<Self> {
        if self.used_at.elapsed() < ASK_AFTER {
            return Some(self);
        }
        let answer = timeout(ASK_TIMEOUT, self.conn.ping()).await;
        matches!(answer, Ok(Ok(()))).then_some(self)
    }
}

/// The writing session, while one batch has it.
pub(crate) struct Lease {
    writer: Arc<Writer>,
    slot: OwnedMutexGuard<Slot>,
    session: Option<Session>,
}

const LENT: &str = "a lease holds its session until it is given up";

impl Lease {
    /// Gives the session back: it is in order, and in no transaction.
    pub fn keep(mut self) {
        if let Some(mut session) = self.session.take() {
            session.used_at = Instant::now();
            self.slot.session = Some(session);
        }
    }

    /// Gives up a session whose COMMIT nobody has heard the end of, and waits until the server has
    /// ended it: whoever looks afterwards sees what became of it. Where the server is gone too, that
    /// is so once it is back.
    pub async fn see_off(mut self) {
        let Some(lost) = self.session.take() else { return };
        let backend = lost.backend;
        drop(lost);
        let Ok(next) = connect(&self.writer.options, self.writer.owner).await else { return };
        self.session = Some(next);
        let gone = async {
            loop {
                let there = sqlx::query_scalar!(
                    r#"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1) AS "there!""#,
                    backend
                )
                .fetch_one(&mut *self)
                .await?;
                match there {
                    true => tokio::time::sleep(SEE_OFF_EVERY).await,
                    false => return Ok::<_, Error>(()),
                }
            }
        };
        if let Ok(Ok(())) = timeout(SEE_OFF_TIMEOUT, gone).await {
            self.keep();
        }
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.session.as_ref().expect(LENT).conn
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.session.as_mut().expect(LENT).conn
    }
}
