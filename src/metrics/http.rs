//! What is counted of requests.

use ordermill_actors::metrics::{REQUEST, TraceLabel, TracedHistograms};
use poem::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// The path of what no route has answered.
pub const UNMATCHED: &str = "unmatched";

/// The label that seed 002 has.
const SERVICE: &str = "ordermill";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    service: &'static str,
    method: &'static str,
    path: String,
    status: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    service: &'static str,
    method: &'static str,
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabel {
    listener: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// Why a request came to no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its body is too large.
    TooLarge,
    /// Its body did not come in time.
    Slow,
    /// The process is starting.
    Starting,
    /// A web page of another site has sent it, or it is for another host.
    UnsafeOrigin,
}

impl Refused {
    const ALL: [Self; 4] = [Self::TooLarge, Self::Slow, Self::Starting, Self::UnsafeOrigin];

    const fn label(self) -> ReasonLabel {
        let reason = match self {
            Self::TooLarge => "too_large",
            Self::Slow => "slow",
            Self::Starting => "starting",
            Self::UnsafeOrigin => "unsafe_origin",
        };
        ReasonLabel { reason }
    }
}

/// What is counted of requests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    answers: Family<AnswerLabels, Counter>,
    durations: TracedHistograms<DurationLabels>,
    in_flight: Gauge,
    connections: Family<ListenerLabel, Gauge>,
    refused: Family<ReasonLabel, Counter>,
}

/// One more of a gauge, until it is dropped.
#[derive(Debug)]
pub struct InFlight(Gauge);

impl InFlight {
    fn of(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn durations() -> HistogramWithExemplars<TraceLabel> {
    HistogramWithExemplars::new(REQUEST.iter().copied())
}

impl Default for HttpMetrics {
    fn default() -> Self {
        let refused = Family::<ReasonLabel, Counter>::default();
        for reason in Refused::ALL {
            let _ = refused.get_or_create(&reason.label());
        }
        Self {
            answers: Family::default(),
            durations: Family::new_with_constructor(durations as fn() -> _),
            in_flight: Gauge::default(),
            connections: Family::default(),
            refused,
        }
    }
}

impl HttpMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Requests answered by the process";
        registry.register("http_requests", help, self.answers.clone());
        let help = "Time until the first byte of the answer to a request";
        registry.register("http_request_duration_seconds", help, self.durations.clone());
        let help = "Requests that are being answered, of the process";
        registry.register("ordermill_http_requests_in_flight", help, self.in_flight.clone());
        let help = "Open connections, of the process";
        registry.register("ordermill_http_connections_open", help, self.connections.clone());
        let help = "Requests refused by the process before any route looked at them";
        registry.register("ordermill_http_refused", help, self.refused.clone());
    }

    /// Counts an answer. `path` is the route's pattern: few values, whatever clients ask for.
    pub fn answered(
        &self,
        method: &Method,
        path: &str,
        status: StatusCode,
        elapsed: Duration,
        trace: Option<TraceLabel>,
    ) {
        let (service, method) = (SERVICE, known(method));
        let status = u32::from(status.as_u16());
        let labels = AnswerLabels { service, method, path: path.to_owned(), status };
        self.answers.get_or_create(&labels).inc();
        let labels = DurationLabels { service, method, path: labels.path };
        self.durations.get_or_create(&labels).observe(elapsed.as_secs_f64(), trace, None);
    }

    /// A request is being answered, as long as what is returned lives.
    pub fn answers(&self) -> InFlight {
        InFlight::of(self.in_flight.clone())
    }

    /// A connection of a listener is open, as long as what is returned lives.
    pub fn connected(&self, listener: &'static str) -> InFlight {
        InFlight::of(self.connections.get_or_create_owned(&ListenerLabel { listener }))
    }

    /// A request was refused.
    pub fn refused(&self, reason: Refused) {
        self.refused.get_or_create(&reason.label()).inc();
    }
}

/// Methods are the client's own words: those that no route takes are counted together.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
