//! What the parts of a process count and time while they work, for `GET /metrics`. Names, labels and types are those of
//! `docs/METRICS.md`; what can be read at any moment (how much waits, who is connected) is not here but read when it is
//! asked for.
//!
//! ```text
//! Metrics ── a group of families for each kind of part ──register──▶ the server's registry
//!    └─ of(service), of(queue), … ──▶ a part's own counters: atomics, found once and not for each message
//! ```
//!
//! Without a registry they are counted and never shown: tests and the simulation need no other parts.

mod admission;
mod channel;
mod consumer;
mod database;
mod gateway;
mod journal;
mod order;
mod outbox;

pub use admission::AdmissionMetrics;
pub use channel::ChannelMetrics;
pub use consumer::{ConsumerFamilies, ConsumerMetrics};
pub use database::{DatabaseFamilies, DatabaseMetrics};
pub use gateway::GatewayMetrics;
pub use journal::{CommitTry, JournalFamilies, JournalMetrics};
pub use order::{OrderAnswered, OrderMetrics, OrderObservation};
pub use outbox::{OutboxFamilies, OutboxMetrics};

use ordermill_domain::messages::{Origin, TraceContext};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds in seconds of what usually takes milliseconds: a commit, a confirm, a read, a message.
pub const SHORT: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// Upper bounds in seconds of what a client or a customer waits for.
pub const REQUEST: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Upper bounds in seconds of a saga's life: from a commit or six to an order that expired.
pub const SAGA: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0];

/// Histograms by their labels.
pub type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Histograms by their labels, whose exemplars are traces.
pub type TracedHistograms<L> =
    Family<L, HistogramWithExemplars<TraceLabel>, fn() -> HistogramWithExemplars<TraceLabel>>;

/// The label of an exemplar: the trace of which an observation is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TraceLabel {
    /// 32 hexadecimal digits.
    pub trace_id: String,
}

impl From<TraceContext> for TraceLabel {
    fn from(trace: TraceContext) -> Self {
        Self { trace_id: format!("{:032x}", trace.trace_id) }
    }
}

impl TraceLabel {
    /// The trace of an order, when it is sampled: there is nothing to see of others.
    pub fn of(origin: &Origin) -> Option<Self> {
        TraceContext::sampled(origin).map(Self::from)
    }
}

/// The label of what belongs to a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ServiceLabel {
    /// Its name.
    pub service: &'static str,
}

/// The label of what belongs to a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct QueueLabel {
    /// Its name.
    pub queue: &'static str,
}

/// All that a process's parts count and time. Cheap to clone: clones share what is counted.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Admission of orders.
    pub admission: AdmissionMetrics,
    /// Journals.
    pub journal: JournalFamilies,
    /// Outboxes.
    pub outbox: OutboxFamilies,
    /// Consumers.
    pub consumer: ConsumerFamilies,
    /// Databases.
    pub database: DatabaseFamilies,
    /// Orders and their sagas.
    pub order: OrderMetrics,
    /// Payment gateways.
    pub gateway: GatewayMetrics,
    /// Channels to customers.
    pub channel: ChannelMetrics,
}

impl Metrics {
    /// Has them shown by a registry.
    pub fn register(&self, registry: &mut Registry) {
        self.admission.register(registry);
        self.journal.register(registry);
        self.outbox.register(registry);
        self.consumer.register(registry);
        self.database.register(registry);
        self.order.register(registry);
        self.gateway.register(registry);
        self.channel.register(registry);
    }
}

/// Histograms with [`SHORT`] bounds.
fn short() -> Histogram {
    Histogram::new(SHORT.iter().copied())
}

/// Histograms with [`REQUEST`] bounds.
fn request() -> Histogram {
    Histogram::new(REQUEST.iter().copied())
}

/// The same with exemplars.
fn traced_request() -> HistogramWithExemplars<TraceLabel> {
    HistogramWithExemplars::new(REQUEST.iter().copied())
}

/// Traced histograms with [`SAGA`] bounds.
fn traced_saga() -> HistogramWithExemplars<TraceLabel> {
    HistogramWithExemplars::new(SAGA.iter().copied())
}
