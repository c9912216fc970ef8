//! The relay: publishes a service's outbox and has each row forgotten when everybody has it.
//!
//! ```text
//! journal ──offer──▶ window ──publish──▶ broker
//!    ▲                 │ ▲                 │
//!    └─ forget / park ─┘ └──── confirm ────┘
//! ```
//!
//! A journal never waits for its relay: what does not fit the window stays in the database and is read
//! when there is room. A row that cannot get on is parked, so that it holds up nobody else.

use super::address::Address;
use super::journal::{JournalHandle, OutboxListener};
use super::linked_task::spawn_linked;
use super::tree::Node;
use crate::faults::{self, Point};
use crate::metrics::{OutboxFamilies, OutboxMetrics};
use crate::ports::{Broker, Outbox, PublishOutcome, ReadError};
use crate::traces::{self, Tracer};
use ordermill_domain::backoff::Backoff;
use ordermill_domain::clock::{Timestamp, World};
use ordermill_domain::outbox::{Content, OutboundMessage, OutboxRow};
use ordermill_domain::planted::{Bug, planted};
use ordermill_domain::service::{Parking, Service};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Messages that are published and unconfirmed at a time, counted once for each publish that carries them:
/// bounds the memory that a slow broker costs (about 1 KiB each, most of it shared with their row).
const WINDOW_MESSAGES: usize = 32_768;

/// Rows that one look into the database brings.
const READ_ROWS: u32 = 256;

/// How often parked rows are looked for.
const PARKED_EVERY: Duration = Duration::from_millis(500);

/// How often rows of dead processes are looked for. Their orders wait meanwhile, but for the sweeper.
const ADOPT_EVERY: Duration = Duration::from_secs(5);

/// Rows adopted at a time: others who look at the same moment get some, too.
const ADOPT_ROWS: u32 = 1_000;

/// An outbox with nothing under way is read from its start this often: for a row that nobody told of, such as
/// of a commit that ended after everybody had given it up.
const READ_ALL_EVERY: Duration = Duration::from_secs(60);

/// The pauses of a row that nobody takes.
const PARK: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(300));

/// A message to the relay.
pub enum Msg {
    /// These rows are committed.
    Offer(Vec<OutboxRow>),
    /// The outcome of publishing one message of a row.
    Confirmed(Uuid, usize, PublishOutcome),
    /// Look into the database for rows that nobody told of.
    Rescan,
    /// Look for parked rows whose time has come.
    Tick,
    /// Look for rows of processes that are dead.
    Adopt,
    /// The result of looking into the database for waiting rows.
    Waiting(Result<Vec<OutboxRow>, ReadError>),
    /// The result of looking for parked rows.
    Due(Vec<OutboxRow>),
}

impl Msg {
    /// The name of the message in views of actors. None: it is from the relay itself, and is not counted
    /// as a message of its mailbox.
    fn name(&self) -> Option<&'static str> {
        match self {
            Self::Offer(_) => Some("offer"),
            Self::Confirmed(..) => Some("confirmed"),
            Self::Rescan => Some("rescan"),
            Self::Tick | Self::Adopt | Self::Waiting(_) | Self::Due(_) => None,
        }
    }
}

/// Counters of the relay, for admission and metrics: messages, once for each publish that carries them.
#[derive(Debug)]
pub struct RelayBacklog {
    /// Whose outbox it is.
    pub service: &'static str,
    /// Messages committed to the outbox, also those that wait in the database for room.
    pub offered: AtomicU64,
    /// Messages confirmed, parked, or left to a later start.
    pub settled: AtomicU64,
    /// When the oldest row under way was published.
    oldest: Mutex<Option<Instant>>,
}

impl RelayBacklog {
    fn new(service: &'static str) -> Self {
        let (offered, settled) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { service, offered, settled, oldest: Mutex::new(None) }
    }

    /// How long the oldest row under way has waited for its confirms.
    pub fn oldest(&self) -> Duration {
        self.lock_oldest().map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn lock_oldest(&self) -> MutexGuard<'_, Option<Instant>> {
        self.oldest.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Messages that are committed and not yet taken.
    pub fn open(&self) -> u64 {
        let settled = self.settled.load(Relaxed);
        self.offered.load(Relaxed).saturating_sub(settled)
    }
}

/// A relay, as its journal sees it. Cheap to clone.
#[derive(Clone)]
pub struct RelayHandle {
    address: Address<Msg>,
    backlog: Arc<RelayBacklog>,
    metrics: OutboxMetrics,
}

impl RelayHandle {
    /// The relay of a service that is not started yet.
    pub fn new(node: Arc<Node>, service: &'static str, families: &OutboxFamilies) -> Self {
        let backlog = Arc::new(RelayBacklog::new(service));
        Self { address: Address::new(node), backlog, metrics: families.of(service) }
    }

    /// Its counters.
    pub fn backlog(&self) -> &Arc<RelayBacklog> {
        &self.backlog
    }
}

impl OutboxListener for RelayHandle {
    fn offer(&self, rows: Vec<OutboxRow>) {
        self.address.send(Msg::Offer(rows));
    }

    fn rescan(&self) {
        self.address.send(Msg::Rescan);
    }
}

/// The parts of a relay.
pub struct RelayParts<S: Service> {
    /// The outbox.
    pub outbox: Arc<dyn Outbox>,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// Where rows are forgotten and parked.
    pub journal: JournalHandle<S>,
    /// Time.
    pub world: World,
    /// Where its publishes are recorded.
    pub tracer: Tracer,
    /// Where it is reached.
    pub handle: RelayHandle,
}

/// The actor.
pub struct Relay<S: Service>(Arc<RelayParts<S>>);

impl<S: Service> Relay<S> {
    /// A relay over its parts.
    pub fn new(parts: Arc<RelayParts<S>>) -> Self {
        Self(parts)
    }
}

/// A row that is published and not yet forgotten.
struct InFlight {
    messages: Vec<OutboundMessage>,
    open: usize,
    left: Vec<OutboundMessage>,
    delay: Duration,
    tries: u32,
    since: Instant,
    /// When it was published.
    at: Timestamp,
}

/// The rows in flight, and how far the database has been read.
pub struct Window {
    rows: BTreeMap<Uuid, InFlight>,
    messages: usize,
    /// Rows after this one are in the database only. None: everything may be.
    seen: Option<Uuid>,
    behind: bool,
    /// A look into the database is under way; confirms go on meanwhile.
    reading: bool,
    /// The look that is under way must be made again from the start.
    rescan: bool,
    /// Rows were left to the database since the look under way began: it may not have seen them.
    missed: bool,
    /// When the database was last read from its start.
    from_start: Instant,
    /// Messages that were counted when they were offered, and left to the database.
    left: u64,
    /// Parked rows that are done with, by their last try, as long as the database still shows them as due.
    done: BTreeMap<Uuid, u32>,
}

impl<S: Service> Actor for Relay<S> {
    type Msg = Msg;
    type State = Window;
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<Msg>, (): ()) -> Result<Window, ActorProcessingErr> {
        self.0.handle.address.fill(myself.clone());
        self.0.handle.address.node().running();
        myself.send_interval(PARKED_EVERY, || Msg::Tick);
        myself.send_interval(ADOPT_EVERY, || Msg::Adopt);
        myself.cast(Msg::Adopt)?;
        // Publishes that an earlier life had under way are counted again as this one makes them.
        let backlog = &self.0.handle.backlog;
        backlog.settled.store(backlog.offered.load(Relaxed), Relaxed);
        // Rows that an earlier life left behind are read first.
        Ok(Window {
            rows: BTreeMap::new(),
            messages: 0,
            seen: None,
            behind: true,
            reading: false,
            rescan: false,
            missed: false,
            from_start: Instant::now(),
            left: 0,
            done: BTreeMap::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        message: Msg,
        window: &mut Window,
    ) -> Result<(), ActorProcessingErr> {
        let told = message.name();
        if let Some(told) = told {
            self.0.handle.address.node().begins(told);
        }
        match message {
            Msg::Offer(rows) => self.take(&myself, window, rows),
            Msg::Confirmed(row, index, how) => self.confirm(window, row, index, how),
            Msg::Rescan => window.start_again(),
            Msg::Tick => {
                let idle = window.rows.is_empty() && !self.0.journal.health().is_busy();
                if idle && window.from_start.elapsed() >= READ_ALL_EVERY {
                    window.start_again();
                }
                self.look_for_due(&myself, window);
            }
            Msg::Adopt if planted(Bug::ForgetOutbox) => {}
            Msg::Adopt => self.adopt(&myself),
            Msg::Waiting(rows) => self.catch_up(&myself, window, rows),
            Msg::Due(rows) => self.unpark(&myself, window, rows),
        }
        if window.behind && !window.reading && window.messages < WINDOW_MESSAGES / 2 {
            self.look_for_waiting(&myself, window);
        }
        let oldest = window.rows.values().next().map(|row| row.since);
        *self.0.handle.backlog.lock_oldest() = oldest;
        if told.is_some() {
            self.0.handle.address.node().handled();
        }
        Ok(())
    }
}

impl Window {
    /// Has the database read from its start.
    fn start_again(&mut self) {
        self.from_start = Instant::now();
        self.seen = None;
        self.behind = true;
        self.rescan = self.reading;
        self.done.clear();
    }
}

impl<S: Service> Relay<S> {
    /// Takes rows as they are committed, or leaves them to the database when the window is full.
    fn take(&self, myself: &ActorRef<Msg>, window: &mut Window, rows: Vec<OutboxRow>) {
        for row in rows {
            if window.rows.contains_key(&row.id) {
                // A look into the database was faster.
                continue;
            }
            // Once behind, the database tells the order.
            if window.behind || window.messages >= WINDOW_MESSAGES {
                window.behind = true;
                window.missed = true;
                if window.seen >= Some(row.id) {
                    // It comes late: a look from where the last one ended would not find it.
                    window.seen = None;
                }
                let left = row.size() as u64;
                window.left += left;
                self.0.handle.backlog.offered.fetch_add(left, Relaxed);
                continue;
            }
            window.seen = window.seen.max(Some(row.id));
            self.publish(myself, window, row);
        }
    }

    fn look_for_waiting(&self, myself: &ActorRef<Msg>, window: &mut Window) {
        window.reading = true;
        window.missed = false;
        let (outbox, seen, relay) = (self.0.outbox.clone(), window.seen, myself.clone());
        spawn_linked(myself.get_cell(), async move {
            let rows = outbox.waiting(seen, READ_ROWS).await;
            if rows.is_err() {
                tokio::time::sleep(PARKED_EVERY).await;
            }
            // A relay that is gone looks again when it starts.
            let _ = relay.cast(Msg::Waiting(rows));
        });
    }

    /// Takes over what dead processes have left, until nothing is left.
    fn adopt(&self, myself: &ActorRef<Msg>) {
        let (outbox, relay) = (self.0.outbox.clone(), self.0.handle.clone());
        spawn_linked(myself.get_cell(), async move {
            while let Ok(adopted @ 1..) = outbox.adopt(ADOPT_ROWS).await {
                tracing::info!(service = %S::NAME, adopted, "adopted outbox rows of a terminated process");
                relay.metrics.adopted(adopted);
                faults::passes(Point::Adopted);
                // They are older than what this process has read so far.
                relay.rescan();
            }
        });
    }

    fn catch_up(
        &self,
        myself: &ActorRef<Msg>,
        window: &mut Window,
        rows: Result<Vec<OutboxRow>, ReadError>,
    ) {
        window.reading = false;
        let Ok(rows) = rows else { return };
        if window.rescan {
            // Asked to look again from the start while this look was under way.
            window.rescan = false;
            return;
        }
        // A page may be short of rows that cannot be read: the end is where none comes.
        window.behind = window.missed || !rows.is_empty();
        for row in rows {
            window.seen = window.seen.max(Some(row.id));
            self.publish(myself, window, row);
        }
        if !window.behind {
            // Rows that were left to the database and are gone were published by another process.
            self.0.handle.backlog.settled.fetch_add(std::mem::take(&mut window.left), Relaxed);
        }
    }

    fn look_for_due(&self, myself: &ActorRef<Msg>, window: &Window) {
        if window.messages >= WINDOW_MESSAGES {
            return;
        }
        let (outbox, now, relay) = (self.0.outbox.clone(), self.0.world.now(), myself.clone());
        let health = self.0.journal.health().clone();
        // Those that are published again and not confirmed yet are still due there: they must not hide others.
        let under_way =
            window.rows.values().filter(|row| row.tries > 0).count() + window.done.len();
        let limit = READ_ROWS.saturating_add(u32::try_from(under_way).unwrap_or(u32::MAX));
        spawn_linked(myself.get_cell(), async move {
            let due = outbox.due(now, limit).await;
            health.report_read(&due);
            if let Ok(rows) = due {
                let _ = relay.cast(Msg::Due(rows));
            }
        });
    }

    fn unpark(&self, myself: &ActorRef<Msg>, window: &mut Window, rows: Vec<OutboxRow>) {
        let all = rows.len() < READ_ROWS as usize / 2;
        window.done.retain(|id, _| !all || rows.iter().any(|row| row.id == *id));
        for row in rows {
            // Parked anew, it may be due again before anybody has seen it wait.
            if window.done.get(&row.id).is_none_or(|tries| row.tries > *tries) {
                self.publish(myself, window, row);
            }
        }
    }

    fn publish(&self, myself: &ActorRef<Msg>, window: &mut Window, row: OutboxRow) {
        if window.rows.contains_key(&row.id) {
            return;
        }
        let messages = row.messages();
        if messages.is_empty() {
            self.0.journal.forget(vec![row.id]);
            return;
        }
        let size: usize = messages.iter().map(OutboundMessage::size).sum();
        window.messages += size;
        let counted = window.left.min(size as u64);
        window.left -= counted;
        self.0.handle.backlog.offered.fetch_add(size as u64 - counted, Relaxed);
        let (id, at) = (row.id, self.0.world.now());
        for (index, message) in messages.iter().enumerate() {
            let (relay, node) = (myself.clone(), self.0.handle.address.node().clone());
            let confirm = Box::new(move |how| {
                node.queued();
                if relay.cast(Msg::Confirmed(id, index, how)).is_err() {
                    node.unqueued();
                }
            });
            self.0.broker.publish(message.clone(), confirm);
        }
        faults::passes(Point::Published);
        let open = messages.len();
        let (left, delay, tries, since) = (Vec::new(), Duration::ZERO, row.tries, Instant::now());
        let flight = InFlight { messages, open, left, delay, tries, since, at };
        window.rows.insert(id, flight);
    }

    fn confirm(&self, window: &mut Window, id: Uuid, index: usize, how: PublishOutcome) {
        let Some(flight) = window.rows.get_mut(&id) else { return };
        flight.open -= 1;
        let pause = PARK.delay(flight.tries);
        let message = &flight.messages[index];
        let size = message.size();
        window.messages -= size;
        self.0.handle.backlog.settled.fetch_add(size as u64, Relaxed);
        self.0.handle.metrics.published(&how, size);
        if matches!(how, PublishOutcome::Taken | PublishOutcome::Deferred { .. }) {
            traces::published(&self.0.tracer, message, flight.at, &self.0.world);
        }
        match how {
            PublishOutcome::Taken => {}
            PublishOutcome::Unroutable => {
                tracing::error!(
                    service = %S::NAME, exchange = ?message.exchange, row = %id,
                    "message is unroutable; its outbox row is parked"
                );
                flight.delay = flight.delay.max(pause);
                flight.left.push(message.clone());
            }
            PublishOutcome::Deferred { left, delay } => {
                flight.delay = flight.delay.max(delay);
                flight.left.extend(left);
            }
            PublishOutcome::Lost => {
                flight.delay = flight.delay.max(pause);
                flight.left.push(message.clone());
            }
        }
        if flight.open > 0 {
            return;
        }
        if let Some(InFlight { left, delay, tries, since, .. }) = window.rows.remove(&id) {
            self.0.handle.metrics.confirmed(since.elapsed());
            if tries > 0 {
                window.done.insert(id, tries);
            }
            if left.is_empty() || planted(Bug::ForgetUnconfirmed) {
                faults::passes(Point::Confirmed);
                self.0.journal.forget(vec![id]);
            } else {
                let row = OutboxRow { id, content: Content::Parked(left), tries: tries + 1 };
                self.0.journal.park(Parking { row, until: self.0.world.now() + delay });
            }
        }
    }
}
