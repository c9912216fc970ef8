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
mod gateway;
mod journal;
mod order;
mod outbox;

pub use admission::AdmissionMetrics;
pub use channel::ChannelMetrics;
pub use consumer::{ConsumerFamilies, ConsumerMetrics};
pub use gateway::GatewayMetrics;
pub use journal::{CommitTry, JournalFamilies, JournalMetrics};
pub use order::{OrderAnswered, OrderMetrics, OrderObservation};
pub use outbox::{OutboxFamilies, OutboxMetrics};

use ordermill_domain::messages::Origin;
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

impl TraceLabel {
    /// The trace of a `traceparent`, when it is sampled: there is nothing to see of others.
    pub fn sampled(traceparent: Option<&str>) -> Option<Self> {
        let mut parts = traceparent?.split('-').skip(1);
        let trace_id = parts.next()?;
        let flags = u8::from_str_radix(parts.nth(1)?, 16).ok()?;
        (flags & 1 == 1).then(|| Self { trace_id: trace_id.to_owned() })
    }

    /// The trace of an order.
    pub fn of(origin: &Origin) -> Option<Self> {
        Self::sampled(origin.traceparent.as_deref())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sampled_trace_is_an_exemplar() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let of = |flags: &str| {
            let traceparent = format!("00-{trace}-b7ad6b7169203331-{flags}");
            TraceLabel::sampled(Some(&traceparent)).map(|label| label.trace_id)
        };
        assert_eq!(of("01"), Some(trace.to_owned()));
        assert_eq!(of("03"), Some(trace.to_owned()));
        assert_eq!(of("00"), None);
        assert_eq!(of("xx"), None);
        assert_eq!(TraceLabel::sampled(None), None);
        assert_eq!(TraceLabel::sampled(Some("00")), None);
    }
}
