//! The writing session: one, lent to one batch at a time, connected again when it was lost.
//!
//! A lease that is dropped has its connection closed, and the server rolls back whatever was begun on
//! it. Only who knows that the session is in order gives it back.

use super::open;
use super::session::{Plan, Session};
use crate::error::Error;
use sqlx::{Connection, PgConnection};
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
    plan: Plan,
    owner: i64,
    slot: Arc<Mutex<Slot>>,
}

#[derive(Debug, Default)]
struct Slot {
    session: Option<KeptSession>,
    closed: bool,
}

#[derive(Debug)]
struct KeptSession {
    session: Session,
    used_at: Instant,
}

impl Writer {
    /// Keeps a session, and others by this plan when it is lost; takes the owner's lock.
    pub async fn open(plan: Plan, session: Session, owner: i64) -> Result<Self, Error> {
        let session = Some(own(session, owner).await?);
        let slot = Arc::new(Mutex::new(Slot { session, closed: false }));
        Ok(Self { plan, owner, slot })
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
            None => self.connect().await?,
        };
        Ok(Lease { writer: self.clone(), slot, kept: Some(session) })
    }

    async fn connect(&self) -> Result<KeptSession, Error> {
        let session = self.plan.open().await?;
        match timeout(open::CONNECT_TIMEOUT, own(session, self.owner)).await {
            Ok(owned) => owned,
            Err(_) => Err(Error::late("connecting", open::CONNECT_TIMEOUT)),
        }
    }

    /// Waits for who has the session, and gives up the owner's lock with it.
    pub async fn close(&self) {
        let mut slot = self.slot.lock().await;
        slot.closed = true;
        if let Some(KeptSession { mut session, .. }) = slot.session.take() {
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

/// Has a new session hold the owner's lock, and wait for the server's disk at each commit: a server that
/// does not would have us promise what it forgets.
async fn own(mut session: Session, owner: i64) -> Result<KeptSession, Error> {
    session.takes_lock_of(owner).await?;
    session.waits_for_the_disk().await?;
    Ok(KeptSession { session, used_at: Instant::now() })
}

impl KeptSession {
    async fn alive(mut self) -> Option<Self> {
        if self.used_at.elapsed() < ASK_AFTER {
            return Some(self);
        }
        let alive = timeout(ASK_TIMEOUT, self.session.is_alive()).await;
        matches!(alive, Ok(true)).then_some(self)
    }
}

/// The writing session, while one batch has it.
pub(crate) struct Lease {
    writer: Arc<Writer>,
    slot: OwnedMutexGuard<Slot>,
    kept: Option<KeptSession>,
}

const LENT: &str = "a lease holds its session until it is given up";

impl Lease {
    /// Gives the session back: it is in order, and in no transaction.
    pub fn keep(mut self) {
        if let Some(mut kept) = self.kept.take() {
            kept.used_at = Instant::now();
            self.slot.session = Some(kept);
        }
    }

    /// Gives up a session whose COMMIT nobody has heard the end of, and waits until the server has
    /// ended it: whoever looks afterwards sees what became of it. Where the server is gone too, that
    /// is so once it is back.
    pub async fn await_unknown_commit(mut self) {
        let Some(lost) = self.kept.take() else { return };
        let backend = lost.session.backend;
        drop(lost);
        let Ok(next) = self.writer.connect().await else { return };
        let next = &mut self.kept.insert(next).session;
        let gone = async {
            while next.sees_in_transaction(backend).await? {
                tokio::time::sleep(SEE_OFF_EVERY).await;
            }
            Ok::<_, Error>(())
        };
        if let Ok(Ok(())) = timeout(SEE_OFF_TIMEOUT, gone).await {
            self.keep();
        }
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.kept.as_ref().expect(LENT).session.conn
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.kept.as_mut().expect(LENT).session.conn
    }
}
