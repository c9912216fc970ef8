//! Spans, kept in memory.

use crate::traces::{SampledBy, SpanRecord, Systems, Tracer, Traces};
use std::sync::{Arc, Mutex, PoisonError};

/// Samples every trace that begins here, and keeps all spans.
#[derive(Debug, Default)]
pub struct RecordedTraces(Mutex<Vec<SpanRecord>>);

impl Traces for RecordedTraces {
    fn samples(&self, trace: SampledBy) -> bool {
        match trace {
            SampledBy::Client(client) => client.sampled,
            SampledBy::OwnId(_) => true,
        }
    }

    fn record(&self, span: SpanRecord) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(span);
    }
}

impl RecordedTraces {
    /// A tracer that records here.
    pub fn tracer(self: &Arc<Self>) -> Tracer {
        Tracer::new(self.clone(), Systems { messaging: "ordermill", database: "memory" })
    }

    /// Everything that was recorded since it was last asked.
    pub fn take(&self) -> Vec<SpanRecord> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
