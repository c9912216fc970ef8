//! One connection, kept: opened, watched over, opened again.
//!
//! ```text
//! open ─▶ declare ─▶ announce (Live) ─▶ watch ─▶ lost: Live ends, all who use it drop it
//!  ▲                                              │
//!  └───────────── 200 ms, doubled to 1 s ◀────────┘
//! ```

use crate::address::Address;
use crate::critical_tasks::CriticalTasks;
use crate::error::{BrokerOpenError, LinkError};
use crate::topology;
use futures::{Stream, StreamExt};
use lapin::{Channel, Connection, Event};
use ordermill_actors::ports::Health;
use ordermill_actors::runtime::linked_task::catch_panic;
use ordermill_domain::backoff::Backoff;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

mod greeting;
mod open;

pub use greeting::verify_version;
use open::{SocketCloser, open};

/// The pauses before another try. A broker that is back is noticed within the longest, and all orders wait until then.
/// A try a second by each of a process's two connections costs nobody anything.
pub const RETRY: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(1));

/// How often a connection is asked whether it lives: not every end of one is told.
const POLL_EVERY: Duration = Duration::from_millis(200);

/// How long the broker may take for what it answers at once when it is well.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// How long a good end of a connection may take.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

/// Waits for an answer, but not for ever.
pub async fn answer<T>(
    within: Duration,
    asked: impl Future<Output = lapin::Result<T>>,
) -> Result<T, LinkError> {
    match tokio::time::timeout(within, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(LinkError::Silent(within)),
    }
}

/// A connection while it lives.
pub struct Live {
    connection: Connection,
    address: Address,
    ended: CancellationToken,
    /// When the broker last took messages again after it had taken none.
    flow: Mutex<FlowState>,
    /// Held by who declares: a queue that two declare at once may keep one of them waiting.
    declaring: tokio::sync::Mutex<()>,
    socket_closer: SocketCloser,
}

#[derive(Clone, Copy)]
enum FlowState {
    Open(Instant),
    Blocked,
}

impl Live {
    /// A new channel.
    pub async fn channel(&self) -> Result<Channel, LinkError> {
        self.unless_ended(answer(ANSWERED_WITHIN, self.connection.create_channel())).await
    }

    /// Declares the topology again: something of it is missing. Not on a connection that is gone: that would
    /// take as long as each declaration may.
    pub async fn declare(&self) -> Result<(), BrokerOpenError> {
        tokio::select! {
            biased;
            declared = async {
                let _turn = self.declaring.lock().await;
                topology::declare(&self.connection, &self.address).await
            } => declared,
            () = self.ended() => Err(BrokerOpenError::connecting(&self.address, &LinkError::Gone)),
        }
    }

    /// Completes when the connection is no more.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Says that the connection is of no use any more.
    pub fn give_up(&self, why: &str) {
        if !self.ended.is_cancelled() {
            tracing::warn!(why, "connection to the broker abandoned");
            self.ended.cancel();
        }
    }

    /// Since when the broker takes messages. None: it takes none now.
    pub fn flows_since(&self) -> Option<Instant> {
        match *self.flow.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) {
            FlowState::Open(since) => Some(since),
            FlowState::Blocked => None,
        }
    }

    fn flow(&self, flow: FlowState) {
        *self.flow.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = flow;
    }

    /// Does something on the connection, unless it ends meanwhile. A panic is an error like any other.
    pub async fn unless_ended<T>(
        &self,
        work: impl Future<Output = Result<T, LinkError>>,
    ) -> Result<T, LinkError> {
        tokio::select! {
            biased;
            done = catch_panic(work) => done.unwrap_or_else(|panic| Err(LinkError::Panicked(panic))),
            () = self.ended() => Err(LinkError::Gone),
        }
    }
}

/// A connection that is kept. Cheap to clone.
#[derive(Clone)]
pub struct Link {
    live: watch::Receiver<Option<Arc<Live>>>,
    health: Arc<Mutex<Health>>,
    reconnects: Arc<AtomicU64>,
}

impl Link {
    /// Opens a connection and keeps it until it is asked to stop.
    pub async fn open(
        address: &Address,
        role: &'static str,
        critical_tasks: &CriticalTasks,
    ) -> Result<Self, BrokerOpenError> {
        let first = open(address, role).await?;
        let health = Arc::new(Mutex::new(Health::Connected));
        let (announce, live) = watch::channel(None);
        let (address, reconnects) = (address.clone(), Arc::<AtomicU64>::default());
        let task = LinkTask {
            address,
            role,
            announce,
            health: health.clone(),
            reconnects: reconnects.clone(),
        };
        critical_tasks.spawn(|stop| task.keep(first, stop));
        Ok(Self { live, health, reconnects })
    }

    /// The connection, when there is one. None: there will be none any more.
    pub async fn live(&self) -> Option<Arc<Live>> {
        let mut live = self.live.clone();
        let now = live.wait_for(Option::is_some).await.ok()?;
        now.clone()
    }

    /// The connection, if there is one now.
    pub fn now(&self) -> Result<Arc<Live>, LinkError> {
        self.live.borrow().clone().ok_or(LinkError::Gone)
    }

    /// How often it was opened again.
    pub fn reconnects(&self) -> u64 {
        self.reconnects.load(Relaxed)
    }

    /// How it is doing.
    pub fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

struct LinkTask {
    address: Address,
    role: &'static str,
    announce: watch::Sender<Option<Arc<Live>>>,
    health: Arc<Mutex<Health>>,
    reconnects: Arc<AtomicU64>,
}

impl LinkTask {
    async fn keep(self, first: Live, stop: CancellationToken) {
        let mut next = Some(first);
        while let Some(live) = next {
            let live = Arc::new(live);
            // Listened to before anybody publishes: that is when a broker says that it is blocked.
            let events = live.connection.events_listener();
            self.says(Health::Connected);
            self.announce.send_replace(Some(live.clone()));
            let lost = stop.run_until_cancelled(self.watch(&live, events)).await;
            self.announce.send_replace(None);
            live.ended.cancel();
            let Some(why) = lost.filter(|_| !stop.is_cancelled()) else {
                let closing = live.connection.close(200, "OK".into());
                // The broker notices its end in any case.
                let _ = answer(CLOSED_WITHIN, closing).await;
                return;
            };
            tracing::warn!(connection = self.role, %why, "connection to the broker lost");
            self.says(Health::Away(why));
            live.socket_closer.cut();
            next = stop.run_until_cancelled(self.reopen()).await;
        }
    }

    fn says(&self, health: Health) {
        *self.health.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = health;
    }

    /// Watches over a connection until it is lost, and says why.
    async fn watch(&self, live: &Live, events: impl Stream<Item = Event>) -> String {
        let mut events = pin!(events);
        loop {
            let event = tokio::select! {
                biased;
                event = events.next() => event,
                () = live.ended() => return "the connection was abandoned".to_owned(),
                () = tokio::time::sleep(POLL_EVERY) => {
                    if live.connection.status().connected() {
                        continue;
                    }
                    return "the connection was closed".to_owned();
                }
            };
            match event {
                Some(Event::ConnectionBlocked(why)) => {
                    tracing::warn!(
                        connection = self.role, %why,
                        "the broker has blocked publishing (memory or disk alarm)"
                    );
                    live.flow(FlowState::Blocked);
                    self.says(Health::Blocked(why));
                }
                Some(Event::ConnectionUnblocked) => {
                    tracing::info!(connection = self.role, "the broker accepts messages again");
                    live.flow(FlowState::Open(Instant::now()));
                    self.says(Health::Connected);
                }
                // lapin tells of a channel's errors here, too; those are of no matter to other channels.
                Some(Event::Error(_)) if live.connection.status().connected() => {}
                Some(Event::Error(error)) => return error.to_string(),
                Some(_) => {}
                None => return "the connection was closed".to_owned(),
            }
        }
    }

    async fn reopen(&self) -> Live {
        let mut failures = 0;
        loop {
            match open(&self.address, self.role).await {
                Ok(live) => {
                    self.reconnects.fetch_add(1, Relaxed);
                    tracing::info!(connection = self.role, "connected to the broker again");
                    return live;
                }
                Err(error) => {
                    let pause = RETRY.delay(failures);
                    failures += 1;
                    tracing::warn!(connection = self.role, %error, again_in = ?pause, "the broker is unavailable");
                    self.says(Health::Away(error.to_string()));
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}
