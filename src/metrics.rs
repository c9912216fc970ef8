//! The metrics of a process: `GET /metrics`. Names, labels and types are those of `docs/METRICS.md`.
//!
//! ```text
//! parts that count while they work (`ordermill_actors::metrics`, `http`) ──▶ registry ─┐
//! databases and the broker ──`api::metrics`──▶ samples ─┐                                     ├─▶ the page
//! counters and states in memory, /proc ──────────┴── read when it is asked for ────────┘
//! ```
//!
//! A source that does not answer has no sample: its gauges are absent until it does.

mod http;
mod page;
mod process;
mod samples;

pub use http::{HttpMetrics, InFlight, Refused, UNMATCHED};
pub use page::Page;
pub use process::Facts;
pub use samples::Samples;

use ordermill_actors::metrics::Metrics;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::reconciliation::{Aspect, Disagreement};
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};

/// How the page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0, with exemplars.
    OpenMetrics,
}

impl Format {
    /// What a client accepts: OpenMetrics only where it is asked for by name.
    pub fn accepted(accept: Option<&str>) -> Self {
        match accept.is_some_and(|accept| accept.contains("application/openmetrics-text")) {
            true => Self::OpenMetrics,
            false => Self::Prometheus,
        }
    }

    /// Its media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What a server counts, and what was last read for its page.
pub struct ServerMetrics {
    registry: Registry,
    /// Requests.
    pub http: HttpMetrics,
    /// What the parts of the process count.
    pub parts: Metrics,
    /// Orders compared by the reconciliation in the background.
    pub reconciled: Counter,
    disagreements: Mutex<Option<BTreeMap<&'static str, usize>>>,
    facts: Facts,
    samples: Mutex<Samples>,
}

impl ServerMetrics {
    /// The metrics of a server of which this is known.
    pub fn new(facts: Facts) -> Self {
        let (http, parts) = (HttpMetrics::default(), Metrics::default());
        let (reconciled, mut registry) = (Counter::default(), Registry::default());
        http.register(&mut registry);
        parts.register(&mut registry);
        let help = "Orders compared by the reconciliation in the background, by the process";
        registry.register("ordermill_reconciled_orders", help, reconciled.clone());
        Self {
            registry,
            http,
            parts,
            reconciled,
            disagreements: Mutex::default(),
            facts,
            samples: Mutex::default(),
        }
    }

    /// The services disagree about so much, as the reconciliation in the background has found.
    pub fn disagree<'a>(&self, found: impl Iterator<Item = &'a Disagreement>) {
        let mut counts: BTreeMap<_, usize> =
            Aspect::ALL.iter().map(|aspect| (aspect.as_str(), 0)).collect();
        for disagreement in found {
            *counts.entry(disagreement.aspect.as_str()).or_default() += 1;
        }
        *self.disagreements.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(counts);
    }

    /// All of it, with what was read for this page.
    ///
    /// # Errors
    /// Never: a string takes everything that is written to it.
    pub fn render(
        &self,
        mut page: Page,
        now: Timestamp,
        format: Format,
    ) -> Result<String, fmt::Error> {
        self.samples().write(now, &mut page);
        self.write_disagreements(&mut page);
        process::read(&self.facts, now, &mut page);
        let mut read = Registry::default();
        read.register_collector(Box::new(page));
        let mut text = String::new();
        match format {
            Format::Prometheus => {
                prometheus_text::encode(&mut text, &self.registry)?;
                prometheus_text::encode(&mut text, &read)?;
            }
            Format::OpenMetrics => {
                text::encode_registry(&mut text, &self.registry)?;
                text::encode_registry(&mut text, &read)?;
                text::encode_eof(&mut text)?;
            }
        }
        Ok(text)
    }

    fn write_disagreements(&self, page: &mut Page) {
        let found = self.disagreements.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let family = page.gauge(
            "ordermill_disagreements",
            "Disagreements between services, found by the reconciliation in the background; global: take max",
        );
        for (aspect, count) in found.iter().flatten() {
            family.set([("aspect", *aspect)], *count as f64);
        }
    }

    /// What was last read for the page.
    pub fn samples(&self) -> MutexGuard<'_, Samples> {
        self.samples.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_written_only_where_it_is_asked_for() {
        assert_eq!(Format::accepted(None), Format::Prometheus);
        assert_eq!(Format::accepted(Some("text/plain;version=0.0.4, */*")), Format::Prometheus);
        let prometheus = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
        assert_eq!(Format::accepted(Some(prometheus)), Format::OpenMetrics);
    }
}
