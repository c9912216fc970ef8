//! Exports batches, and counts what is exported and what is dropped.

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::time::Duration;

/// What became of the spans of this process.
#[derive(Debug, Default)]
pub struct TraceStats {
    /// Spans that the collector has taken.
    pub exported: AtomicU64,
    /// Spans that are lost: the queue was full, or an export failed.
    pub dropped: AtomicU64,
    /// Spans that wait.
    queued: AtomicUsize,
    queue_max: usize,
    /// The last export failed: said once.
    failing: AtomicBool,
}

impl TraceStats {
    pub(super) fn new(queue_max: usize) -> Self {
        Self { queue_max, ..Self::default() }
    }

    /// Counts a span in. False: it is dropped, because too many wait.
    pub(super) fn takes_one(&self) -> bool {
        if self.queued.fetch_add(1, Relaxed) < self.queue_max {
            return true;
        }
        self.queued.fetch_sub(1, Relaxed);
        self.dropped.fetch_add(1, Relaxed);
        false
    }
}

/// An exporter whose outcomes are counted.
#[derive(Debug)]
pub(super) struct CountingExporter<E> {
    exporter: E,
    stats: Arc<TraceStats>,
}

impl<E> CountingExporter<E> {
    pub(super) fn new(exporter: E, stats: Arc<TraceStats>) -> Self {
        Self { exporter, stats }
    }
}

impl<E: SpanExporter> SpanExporter for CountingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let (count, stats) = (batch.len(), &self.stats);
        let spans = u64::try_from(count).unwrap_or(u64::MAX);
        stats.queued.fetch_sub(count, Relaxed);
        let result = self.exporter.export(batch).await;
        match &result {
            Ok(()) => {
                stats.exported.fetch_add(spans, Relaxed);
                if stats.failing.swap(false, Relaxed) {
                    tracing::info!("spans are exported again");
                }
            }
            Err(error) => {
                stats.dropped.fetch_add(spans, Relaxed);
                if !stats.failing.swap(true, Relaxed) {
                    tracing::warn!(%error, "spans cannot be exported; they are dropped until the endpoint answers");
                }
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_sdk::error::OTelSdkError;

    /// Takes batches, or does not.
    #[derive(Debug)]
    struct Endpoint(bool);

    impl SpanExporter for Endpoint {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            match self.0 {
                true => Ok(()),
                false => Err(OTelSdkError::InternalFailure("refused".to_owned())),
            }
        }
    }

    fn counted(stats: &TraceStats) -> (u64, u64) {
        (stats.exported.load(Relaxed), stats.dropped.load(Relaxed))
    }

    #[tokio::test]
    async fn every_span_is_counted_once() {
        let stats = Arc::new(TraceStats::new(2));
        let taken = (0..5).filter(|_| stats.takes_one()).count();
        assert_eq!((taken, counted(&stats)), (2, (0, 3)), "the queue is full");
        let batch = || {
            let record = super::super::span::tests::record();
            vec![super::super::span::data(record, &Default::default())]
        };
        CountingExporter::new(Endpoint(true), stats.clone()).export(batch()).await.unwrap();
        assert_eq!(counted(&stats), (1, 3));
        assert!(stats.takes_one(), "what is exported makes room");
        CountingExporter::new(Endpoint(false), stats.clone()).export(batch()).await.unwrap_err();
        assert_eq!(counted(&stats), (1, 4));
    }
}
