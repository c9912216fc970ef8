//! Traces over OTLP (HTTP, protobuf): the port [`Traces`] filled with the OpenTelemetry SDK's batch processor.
//!
//! ```text
//! record ─▶ queue, bounded ─▶ batch thread ─▶ POST <endpoint>/v1/traces
//!              │ full: dropped, counted            │ failed: dropped, counted
//! ```
//!
//! Only the standard `OTEL_*` variables configure it. Without an endpoint nothing is recorded and no thread runs.

mod exporter;
mod sampler;
mod span;

pub use exporter::TraceStats;

use anyhow::{Context, bail};
use exporter::CountingExporter;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SpanProcessor};
use ordermill_actors::traces::{SampledBy, SpanRecord, Traces};
use sampler::Sampler;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Spans that wait for their export at the most, unless `OTEL_BSP_MAX_QUEUE_SIZE` says otherwise: the specification's.
const QUEUE_SPANS_MAX: usize = 2_048;

/// The exporter of a process's spans.
#[derive(Debug)]
pub struct Otlp {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    sampler: Sampler,
    stats: Arc<TraceStats>,
}

impl Otlp {
    /// The exporter that the environment asks for. None: it names no endpoint, or switches traces off.
    pub fn from_env() -> anyhow::Result<Option<Self>> {
        let says = |name: &str, word: &str| variable(name).is_some_and(|value| value == word);
        let endpoint = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
        if !endpoint.iter().any(|name| variable(name).is_some())
            || says("OTEL_SDK_DISABLED", "true")
            || says("OTEL_TRACES_EXPORTER", "none")
        {
            return Ok(None);
        }
        for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            if let Some(protocol) = variable(name).filter(|protocol| protocol != "http/protobuf") {
                bail!("{name}=`{protocol}` is not supported; use `http/protobuf`");
            }
        }
        let sampler = Sampler::from_env(variable)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .build()
            .context("the OTLP exporter (OTEL_EXPORTER_OTLP_*)")?;
        let queue = variable("OTEL_BSP_MAX_QUEUE_SIZE");
        let queue = queue.and_then(|size| size.parse().ok()).unwrap_or(QUEUE_SPANS_MAX);
        Ok(Some(Self::new(exporter, queue, sampler)))
    }

    fn new(exporter: SpanExporter, queue: usize, sampler: Sampler) -> Self {
        let stats = Arc::new(TraceStats::new(queue));
        let exporter = CountingExporter::new(exporter, stats.clone());
        let config = BatchConfigBuilder::default().with_max_queue_size(queue).build();
        let mut processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        processor.set_resource(&resource());
        let scope = InstrumentationScope::builder("ordermill")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        Self { processor, scope, sampler, stats }
    }

    /// Counts what became of the spans.
    pub fn stats(&self) -> &Arc<TraceStats> {
        &self.stats
    }

    /// Exports what waits, and ends. Blocks for so long at the most.
    pub fn shutdown(&self, within: Duration) {
        if let Err(error) = self.processor.shutdown_with_timeout(within) {
            tracing::warn!(%error, "the last spans may not have been exported");
        }
    }
}

impl Traces for Otlp {
    fn samples(&self, trace: SampledBy) -> bool {
        self.sampler.samples(trace)
    }

    fn record(&self, record: SpanRecord) {
        if self.stats.takes_one() {
            self.processor.on_end(span::data(record, &self.scope));
        }
    }
}

/// What is the same for all spans of this process; the environment's words go before ours.
fn resource() -> Resource {
    let named = variable("OTEL_SERVICE_NAME").is_some()
        || variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|all| all.contains("service.name="));
    let ours = [
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance().to_string()),
    ];
    let environment = Resource::builder().build();
    let given = |attribute: &KeyValue| environment.get(&attribute.key).is_some();
    let missing: Vec<_> = ours.into_iter().filter(|attribute| !given(attribute)).collect();
    let resource = Resource::builder().with_attributes(missing);
    if named { resource.build() } else { resource.with_service_name("ordermill").build() }
}

/// A name of this process.
fn instance() -> Uuid {
    Uuid::new_v7(uuid::Timestamp::now(uuid::ContextV7::new()))
}

/// A variable of the environment; an empty one counts as unset.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::Relaxed;
    use std::time::Instant;

    /// The queue of the test, and how many spans find it full for sure.
    const QUEUE: usize = 100;
    const SPANS: u64 = 1_000;

    #[test]
    fn a_dead_endpoint_costs_spans_and_no_time() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dead = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        drop(listener);
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(dead)
            .build()
            .unwrap();
        let otlp = Otlp::new(exporter, QUEUE, Sampler::from_env(|_| None).unwrap());
        let begun = Instant::now();
        for _ in 0..SPANS {
            otlp.record(span::tests::record());
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        otlp.shutdown(Duration::from_secs(10));
        let stats = otlp.stats();
        let counted = (stats.exported.load(Relaxed), stats.dropped.load(Relaxed));
        assert_eq!(counted, (0, SPANS));
    }
}
