//! Distributed traces: what was done for an order, as spans. [`Traces`] is a port; without one nothing is recorded.
//!
//! ```text
//! POST /orders                       SERVER    the door decides whether the order is sampled
//! └─ order                           INTERNAL  accepted until at rest
//!    ├─ commit <service>             INTERNAL  ──link──▶ the journal's batch, a trace of its own
//!    ├─ publish <exchange>           PRODUCER  ──link──▶ the bundle, a trace of its own
//!    │  └─ process <queue>           CONSUMER  one an attempt, a retry linked to the failed one
//!    └─ <operation> <gateway>        CLIENT
//! ```
//!
//! A span is made when what it tells of has ended, from what is known then: nothing is carried along, and deciders know
//! nothing of it. The ids of parents follow from the message (`event_id`, order), so that any process finds them.

mod commit;
mod gateway;
mod messages;
mod order;

pub use commit::committed;
pub use gateway::GatewayCall;
pub use messages::{Attempt, processed, published};
pub use order::{OrderSpan, order_span_id, own_trace, server_span_id};

use ordermill_domain::clock::Timestamp;
use ordermill_domain::messages::{Origin, TraceContext};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// Takes spans, and decides which traces are sampled.
pub trait Traces: Send + Sync + 'static {
    /// Whether a trace is sampled that begins here, or that a client began.
    fn samples(&self, trace: SampledBy) -> bool;

    /// Takes a span of a sampled trace. Must not block: what there is no room for is dropped.
    fn record(&self, span: SpanRecord);
}

/// What a sampling decision is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampledBy {
    /// The trace that a client began.
    Client(TraceContext),
    /// A trace that begins here, under an id of [`World::new_id`](ordermill_domain::clock::World::new_id).
    OwnId(Uuid),
}

/// The systems below, by the names that spans give them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Systems {
    /// `messaging.system`.
    pub messaging: &'static str,
    /// `db.system.name`.
    pub database: &'static str,
}

/// Where spans are recorded, if they are. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tracer(Option<(Arc<dyn Traces>, Systems)>);

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tracer").field(&self.systems()).finish()
    }
}

impl Tracer {
    /// Records there.
    pub fn new(traces: Arc<dyn Traces>, systems: Systems) -> Self {
        Self(Some((traces, systems)))
    }

    /// True when spans are recorded.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Whether such a trace is sampled. What a client wants stands where spans are not recorded: another process may.
    pub fn samples(&self, trace: SampledBy) -> bool {
        match (&self.0, trace) {
            (Some((traces, _)), trace) => traces.samples(trace),
            (None, SampledBy::Client(client)) => client.sampled,
            (None, SampledBy::OwnId(_)) => false,
        }
    }

    /// The order's context, when spans of it are recorded.
    pub fn sampled(&self, origin: &Origin) -> Option<TraceContext> {
        self.0.as_ref()?;
        TraceContext::sampled(origin)
    }

    /// Records a span.
    pub fn record(&self, span: SpanRecord) {
        if let Some((traces, _)) = &self.0 {
            traces.record(span);
        }
    }

    fn systems(&self) -> Option<Systems> {
        self.0.as_ref().map(|(_, systems)| *systems)
    }
}

/// How a span relates to those of other processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// Within the system.
    Internal,
    /// Answers a request.
    Server,
    /// Makes a request.
    Client,
    /// Sends a message.
    Producer,
    /// Handles a message.
    Consumer,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

/// Another span that this one has to do with, without being its child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its trace.
    pub trace_id: u128,
    /// Its id.
    pub span_id: u64,
}

/// Links of a span at the most: those of the largest batch of a journal.
pub const LINKS_MAX: usize = 1_024;

/// A span that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanRecord {
    /// Its trace.
    pub trace_id: u128,
    /// Its id.
    pub span_id: u64,
    /// Its parent; None: it begins the trace.
    pub parent: Option<u64>,
    /// Its kind.
    pub kind: SpanKind,
    /// Its name: one of few.
    pub name: Cow<'static, str>,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// What else is known.
    pub attributes: Vec<(&'static str, Value)>,
    /// [`LINKS_MAX`] at the most.
    pub links: Vec<Link>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// The name of the order in the attributes of its spans.
pub const ORDER_ID: &str = "ordermill.order_id";
/// The service in the attributes of a span.
const SERVICE: &str = "ordermill.service";
