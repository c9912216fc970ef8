//! What actors look like in answers.

use crate::api::time::Time;
use crate::api::word::{ActorEventName, ActorKind, Word};
use ordermill_actors::runtime::lifecycle::LifecycleEvent;
use ordermill_actors::runtime::tree::{
    ActorPage, Failure, HandlingOutcome, LastMessage, NodeView, Status, Totals,
};
use poem_openapi::{Enum, Object};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Kinds of actors that bear the id of an order in their name.
const OF_AN_ORDER: [&str; 2] = ["saga", "payment"];

/// An actor, and the actors it supervises.
#[derive(Object)]
pub struct ActorView {
    /// The kind of actor.
    kind: Word<ActorKind>,
    /// Unique in this process; percent-encode it in paths.
    name: String,
    /// Its status.
    status: Word<Status>,
    /// Number of restarts.
    restarts: u64,
    /// The error of the last failure.
    last_error: Option<String>,
    /// Number of messages in its mailbox.
    mailbox: u64,
    /// Number of handled messages.
    handled: u64,
    /// Time since its last start, in milliseconds.
    uptime_ms: u64,
    /// Number of selected actors that it supervises; `children` may list fewer.
    children_total: u64,
    /// The actors it supervises.
    children: Vec<ActorView>,
    /// The value of `after` for the next page, if there are more children than are listed.
    next_after: Option<String>,
}

impl From<NodeView> for ActorView {
    fn from(node: NodeView) -> Self {
        Self {
            kind: Word::stored(node.kind),
            name: node.name,
            status: node.status.into(),
            restarts: node.restarts,
            last_error: node.last_error,
            mailbox: node.mailbox as u64,
            handled: node.handled,
            uptime_ms: node.uptime_ms,
            children_total: node.children_total as u64,
            children: node.children.into_iter().map(Self::from).collect(),
            next_after: node.next_after,
        }
    }
}

/// The number of actors in this process, independent of the filters.
#[derive(Object)]
pub struct TotalsView {
    /// The total.
    actors: u64,
    /// Total number of restarts of the live actors.
    restarts: u64,
    /// The number of actors per kind.
    by_kind: BTreeMap<String, u64>,
    /// The number of actors per status.
    by_status: BTreeMap<String, u64>,
}

impl From<Totals> for TotalsView {
    fn from(totals: Totals) -> Self {
        let counts = |of: BTreeMap<&str, usize>| {
            of.into_iter().map(|(name, count)| (name.to_owned(), count as u64)).collect()
        };
        Self {
            actors: totals.actors as u64,
            restarts: totals.restarts,
            by_kind: counts(totals.by_kind),
            by_status: counts(totals.by_status),
        }
    }
}

/// The actors of this process.
#[derive(Object)]
pub struct ActorTree {
    /// The counts.
    pub totals: TotalsView,
    /// The selected actors, each below its supervisor.
    pub actors: Vec<ActorView>,
}

/// A message that an actor handled.
#[derive(Object)]
pub struct LastMessageView {
    /// Its name.
    message: String,
    /// The time at which it was taken from the mailbox.
    at: Time,
    /// Handling time in microseconds.
    took_us: u32,
    /// The outcome.
    outcome: Outcome,
}

/// The outcome of a message.
#[derive(Enum)]
#[oai(rename = "MessageOutcome", rename_all = "snake_case")]
enum Outcome {
    Handled,
    Failed,
    UnderWay,
}

impl From<LastMessage> for LastMessageView {
    fn from(last: LastMessage) -> Self {
        let outcome = match last.how {
            HandlingOutcome::UnderWay => Outcome::UnderWay,
            HandlingOutcome::Handled => Outcome::Handled,
            HandlingOutcome::Failed => Outcome::Failed,
        };
        Self {
            message: last.message.to_owned(),
            at: last.at.into(),
            took_us: last.took_us,
            outcome,
        }
    }
}

/// A restart of an actor.
#[derive(Object)]
pub struct RestartCause {
    /// When.
    at: Time,
    /// The cause.
    cause: String,
}

impl From<Failure> for RestartCause {
    fn from(failure: Failure) -> Self {
        Self { at: failure.at.into(), cause: failure.cause }
    }
}

/// One actor with all details.
#[derive(Object)]
pub struct ActorPageView {
    /// The kind of actor.
    kind: Word<ActorKind>,
    /// Unique in this process; percent-encode it in paths.
    name: String,
    /// The supervisor; null for the root.
    parent: Option<String>,
    /// Its status.
    status: Word<Status>,
    /// The start of its quarantine; null if it is not quarantined. While it is quarantined, its
    /// messages are refused; an operator releases it.
    quarantined_since: Option<Time>,
    /// The order that it handles.
    order_id: Option<Uuid>,
    /// The path of that order.
    order: Option<String>,
    /// Number of messages in its mailbox.
    mailbox: u64,
    /// Number of handled messages.
    handled: u64,
    /// Time since its last start, in milliseconds.
    uptime_ms: u64,
    /// Number of actors that it supervises.
    children_total: u64,
    /// The most recent messages, oldest first.
    last_messages: Vec<LastMessageView>,
    /// Number of restarts.
    restarts: u64,
    /// The most recent restarts with their causes, oldest first.
    last_restarts: Vec<RestartCause>,
}

impl From<ActorPage> for ActorPageView {
    fn from(page: ActorPage) -> Self {
        let ActorPage { actor, parent, last_messages, failures } = page;
        let is_quarantined = actor.status == Status::Quarantined;
        let order_id = order_of(actor.kind, &actor.name);
        Self {
            kind: Word::stored(actor.kind),
            parent,
            status: actor.status.into(),
            quarantined_since: failures
                .last()
                .filter(|_| is_quarantined)
                .map(|last| last.at.into()),
            order_id,
            order: order_id.map(|id| format!("/orders/{id}")),
            mailbox: actor.mailbox as u64,
            handled: actor.handled,
            uptime_ms: actor.uptime_ms,
            children_total: actor.children_total as u64,
            last_messages: last_messages.into_iter().map(LastMessageView::from).collect(),
            restarts: actor.restarts,
            last_restarts: failures.into_iter().map(RestartCause::from).collect(),
            name: actor.name,
        }
    }
}

fn order_of(kind: &str, name: &str) -> Option<Uuid> {
    let key = name.strip_prefix(kind)?.strip_prefix('/')?;
    OF_AN_ORDER.contains(&kind).then(|| Uuid::try_parse(key).ok()).flatten()
}

/// A lifecycle event of an actor, or of this stream.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ActorEventView {
    /// What happened.
    pub event: Word<ActorEventName>,
    /// The time of the event.
    at: Option<Time>,
    /// The kind of actor.
    kind: Option<Word<ActorKind>>,
    /// Its name.
    name: Option<String>,
    /// Number of earlier restarts.
    restarts: Option<u64>,
    /// The cause.
    cause: Option<String>,
    /// The number of lost events.
    missed: Option<u64>,
}

impl From<&LifecycleEvent> for ActorEventView {
    fn from(event: &LifecycleEvent) -> Self {
        Self {
            event: Word::stored(event.what.as_str()),
            at: Some(event.at.into()),
            kind: Some(Word::stored(event.kind)),
            name: Some(event.name.clone()),
            restarts: Some(event.restarts),
            cause: event.cause.clone(),
            missed: None,
        }
    }
}

impl ActorEventView {
    /// So many events were not seen.
    pub fn missed(count: u64) -> Self {
        Self {
            event: Word::stored(ActorEventName::MISSED),
            at: None,
            kind: None,
            name: None,
            restarts: None,
            cause: None,
            missed: Some(count),
        }
    }
}
