//! A node: what is known of one actor. It only counts and remembers; it never decides.

use super::history::{ActorHistory, Failure, HandlingOutcome, LastMessage};
use super::node_view::NodeView;
use super::status::Status;
use crate::runtime::lifecycle::{Lifecycle, LifecycleEvent, LifecycleEventKind};
use ordermill_domain::clock::{Clock, Timestamp};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::time::Instant;

/// Every kind of actor that a process of Ordermill has, in the order in which a process starts them.
pub const KINDS: [&str; 15] = [
    "supervisor",
    "service",
    "journal",
    "relay",
    "consumer",
    "saga",
    "sku",
    "payment",
    "sweeper",
    "responder",
    "meter",
    "watch",
    "retention",
    "routine",
    "server",
];

/// Why an actor that works is ended, to be started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentionalStop {
    /// A person wants it. It is no failure, and counts as none.
    Operator,
    /// It gets nothing although there is something. That counts.
    Silent,
}

impl IntentionalStop {
    const fn cause(self) -> &'static str {
        match self {
            Self::Operator => "restarted by an operator",
            Self::Silent => "received no messages although messages were ready",
        }
    }
}

/// How an actor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub cause: String,
    /// True when it counts as a failure.
    pub counts: bool,
}

/// The node of one actor.
#[derive(Debug)]
pub struct Node {
    /// `supervisor`, `journal`, `relay`, `consumer`, `saga`, `sku`, `payment`, …
    pub kind: &'static str,
    /// Unique in the process, as in `order/journal` or `saga/<order_id>`.
    pub name: String,
    status: AtomicU8,
    restarts: AtomicU64,
    handled: AtomicU64,
    depth: AtomicUsize,
    started_at: Timestamp,
    /// The same moment: times are told from it, so that no clock is asked a message.
    started: Instant,
    /// Milliseconds from then to its latest start.
    since_ms: AtomicU64,
    is_entity: bool,
    history: Mutex<ActorHistory>,
    ended_on_purpose: Mutex<Option<IntentionalStop>>,
    lifecycle: Option<Lifecycle>,
}

impl Node {
    /// A node of which nobody is told, for an actor that starts now.
    pub fn new(kind: &'static str, name: String, clock: &dyn Clock) -> Arc<Self> {
        Arc::new(Self::alone(kind, name, clock))
    }

    /// A part's node.
    pub(super) fn part(
        kind: &'static str,
        name: String,
        clock: &dyn Clock,
        lifecycle: Lifecycle,
    ) -> Arc<Self> {
        Arc::new(Self { lifecycle: Some(lifecycle), ..Self::alone(kind, name, clock) })
    }

    /// The node of one of very many, under this one.
    pub fn entity(&self, kind: &'static str, name: String, clock: &dyn Clock) -> Arc<Self> {
        let lifecycle = self.lifecycle.clone();
        Arc::new(Self { is_entity: true, lifecycle, ..Self::alone(kind, name, clock) })
    }

    fn alone(kind: &'static str, name: String, clock: &dyn Clock) -> Self {
        Self {
            kind,
            name,
            status: AtomicU8::new(Status::Starting as u8),
            restarts: AtomicU64::new(0),
            handled: AtomicU64::new(0),
            depth: AtomicUsize::new(0),
            started_at: clock.now(),
            started: Instant::now(),
            since_ms: AtomicU64::new(0),
            is_entity: false,
            history: Mutex::default(),
            ended_on_purpose: Mutex::new(None),
            lifecycle: None,
        }
    }

    /// A message was put into its mailbox.
    pub fn queued(&self) {
        self.depth.fetch_add(1, Relaxed);
    }

    /// A message could not be put into its mailbox after all.
    pub fn unqueued(&self) {
        // A failure has emptied the mailbox meanwhile, perhaps: it is never less than empty.
        let _ = self.depth.fetch_update(Relaxed, Relaxed, |depth| depth.checked_sub(1));
    }

    /// It begins to handle a message of this name.
    pub fn begins(&self, message: &'static str) {
        self.history().begin(message, self.started.elapsed(), self.is_entity);
    }

    /// A message was taken out of its mailbox, and handled.
    pub fn handled(&self) {
        self.unqueued();
        self.handled.fetch_add(1, Relaxed);
        self.ends();
    }

    /// It has handled what it began, which never was in a mailbox that is counted.
    pub fn ends(&self) {
        self.history().end(self.started.elapsed(), HandlingOutcome::Handled);
    }

    /// How many messages wait in its mailbox, with the one being handled.
    pub fn depth(&self) -> usize {
        self.depth.load(Relaxed)
    }

    /// How often it was started again.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Relaxed)
    }

    /// Its status.
    pub fn status(&self) -> Status {
        match self.status.load(Relaxed) {
            0 => Status::Starting,
            1 => Status::Running,
            2 => Status::Restarting,
            3 => Status::Stopped,
            _ => Status::Quarantined,
        }
    }

    /// It is being started (again), with an empty mailbox. One of which nobody has said that it ended has ended
    /// with its supervisor.
    pub fn starts(&self) {
        self.depth.store(0, Relaxed);
        let since = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.since_ms.store(since, Relaxed);
        *self.intended_stop() = None;
        if self.status() == Status::Running {
            self.history().failed(self.now(), "restarted with its supervisor");
            self.restarts.fetch_add(1, Relaxed);
        }
        self.status.store(Status::Starting as u8, Relaxed);
    }

    /// It runs (again).
    pub fn running(&self) {
        *self.intended_stop() = None;
        self.becomes(Status::Running, LifecycleEventKind::Started, None);
    }

    /// It is about to be ended on purpose.
    pub fn will_end(&self, why: IntentionalStop) {
        *self.intended_stop() = Some(why);
    }

    /// It ended and is to start again; its mailbox is gone with it.
    pub fn failed(&self, error: &str) -> End {
        let purpose = self.intended_stop().take();
        self.depth.store(0, Relaxed);
        let cause = {
            let mut history = self.history();
            history.end(self.started.elapsed(), HandlingOutcome::Failed);
            history.failed(self.now(), purpose.map_or(error, |why| why.cause()))
        };
        let counts = purpose != Some(IntentionalStop::Operator);
        let what = if counts { LifecycleEventKind::Failed } else { LifecycleEventKind::Restarting };
        self.becomes(Status::Restarting, what, Some(&cause));
        self.restarts.fetch_add(1, Relaxed);
        End { cause, counts }
    }

    /// It failed too often.
    pub fn quarantined(&self) {
        let cause = self.last_error();
        self.becomes(Status::Quarantined, LifecycleEventKind::Quarantined, cause.as_deref());
    }

    /// It may start afresh.
    pub fn released(&self) {
        self.becomes(Status::Stopped, LifecycleEventKind::Released, None);
    }

    /// It left memory.
    pub fn retired(&self) {
        self.becomes(Status::Stopped, LifecycleEventKind::Retired, None);
    }

    /// It ended.
    pub fn stopped(&self) {
        self.becomes(Status::Stopped, LifecycleEventKind::Stopped, None);
    }

    /// Why it failed, the last time.
    pub fn last_error(&self) -> Option<String> {
        self.history().last_error().map(str::to_owned)
    }

    /// Its failures, the last few, oldest first.
    pub fn failures(&self) -> Vec<Failure> {
        self.history().failures()
    }

    /// Its messages, the last few, oldest first.
    pub fn last_messages(&self) -> Vec<LastMessage> {
        self.history().last_messages(self.started_at)
    }

    /// Its view now, without its children.
    pub fn view(&self, now: Timestamp) -> NodeView {
        NodeView {
            kind: self.kind,
            name: self.name.clone(),
            status: self.status(),
            restarts: self.restarts(),
            last_error: self.last_error(),
            mailbox: self.depth(),
            handled: self.handled.load(Relaxed),
            uptime_ms: u64::try_from((now - self.started_at).num_milliseconds())
                .unwrap_or(0)
                .saturating_sub(self.since_ms.load(Relaxed)),
            children_total: 0,
            children: Vec::new(),
            next_after: None,
        }
    }

    fn becomes(&self, status: Status, what: LifecycleEventKind, cause: Option<&str>) {
        self.status.store(status as u8, Relaxed);
        let Some(lifecycle) = &self.lifecycle else { return };
        let restarts = self.restarts();
        if matches!(what, LifecycleEventKind::Failed | LifecycleEventKind::Restarting) {
            lifecycle.count_restart(self.kind);
        }
        lifecycle.tell((what, restarts, self.is_entity), || LifecycleEvent {
            at: self.now(),
            kind: self.kind,
            name: self.name.clone(),
            what,
            restarts,
            cause: cause.map(str::to_owned),
        });
    }

    fn now(&self) -> Timestamp {
        self.started_at + self.started.elapsed()
    }

    fn history(&self) -> MutexGuard<'_, ActorHistory> {
        self.history.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn intended_stop(&self) -> MutexGuard<'_, Option<IntentionalStop>> {
        self.ended_on_purpose.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
