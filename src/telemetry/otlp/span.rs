//! A span of ours as the SDK exports it.

use chrono::{DateTime, Utc};
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use ordermill_actors::traces::{self, SpanRecord, Value};
use std::time::SystemTime;

/// The span's data.
pub(super) fn data(record: SpanRecord, scope: &InstrumentationScope) -> SpanData {
    let SpanRecord { trace_id, span_id, parent, kind, name, start, end, attributes, links, error } =
        record;
    let links =
        links.into_iter().map(|link| Link::with_context(context(link.trace_id, link.span_id)));
    let attributes = attributes.into_iter().map(|(name, value)| match value {
        Value::Text(text) => KeyValue::new(name, text),
        Value::Number(number) => KeyValue::new(name, number),
    });
    SpanData {
        span_context: context(trace_id, span_id),
        parent_span_id: parent.map_or(SpanId::INVALID, id),
        parent_span_is_remote: false,
        span_kind: match kind {
            traces::SpanKind::Internal => SpanKind::Internal,
            traces::SpanKind::Server => SpanKind::Server,
            traces::SpanKind::Client => SpanKind::Client,
            traces::SpanKind::Producer => SpanKind::Producer,
            traces::SpanKind::Consumer => SpanKind::Consumer,
        },
        name,
        start_time: system_time(start),
        // A clock that is set back makes no span of negative length.
        end_time: system_time(end.max(start)),
        attributes: attributes.collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: linked(links.collect()),
        status: error.map_or(Status::Unset, Status::error),
        instrumentation_scope: scope.clone(),
    }
}

fn context(trace_id: u128, span_id: u64) -> SpanContext {
    let trace_id = TraceId::from_bytes(trace_id.to_be_bytes());
    SpanContext::new(trace_id, id(span_id), TraceFlags::SAMPLED, true, TraceState::NONE)
}

fn id(span_id: u64) -> SpanId {
    SpanId::from_bytes(span_id.to_be_bytes())
}

fn linked(all: Vec<Link>) -> SpanLinks {
    let mut links = SpanLinks::default();
    links.links = all;
    links
}

fn system_time(at: DateTime<Utc>) -> SystemTime {
    at.into()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn record() -> SpanRecord {
        let start = DateTime::UNIX_EPOCH;
        SpanRecord {
            trace_id: 0x4bf9,
            span_id: 0xf0,
            parent: Some(7),
            kind: traces::SpanKind::Consumer,
            name: "process q".into(),
            start,
            end: start,
            attributes: vec![("a", 5_u32.into()), ("b", "text".into())],
            links: vec![traces::Link { trace_id: 1, span_id: 2 }],
            error: Some("why".to_owned()),
        }
    }

    #[test]
    fn everything_of_a_span_is_passed_on() {
        let mut record = record();
        record.end = record.start - chrono::TimeDelta::seconds(1);
        let span = data(record, &InstrumentationScope::default());
        assert_eq!(span.span_context.trace_id().to_string(), format!("{:032x}", 0x4bf9));
        assert!(span.span_context.is_sampled(), "or the processor leaves it out");
        assert_eq!((span.parent_span_id, span.end_time), (id(7), span.start_time));
        assert_eq!((span.attributes.len(), span.links.links.len()), (2, 1));
        assert_eq!(span.status, Status::error("why"));
    }
}
