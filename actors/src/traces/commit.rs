//! The spans of commits: a batch of a journal is a trace of its own, linked with the orders that it wrote.

use super::{LINKS_MAX, Link, ORDER_ID, SERVICE, SpanKind, SpanRecord, Systems, Tracer, Value};
use ordermill_domain::clock::{Timestamp, World};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{Origin, TraceContext, span_id};
use ordermill_domain::outbox::{Content, OutboxRow};
use std::collections::HashSet;

/// Records a transaction that was committed just now. Its orders are those that it has messages of.
pub fn committed(
    tracer: &Tracer,
    service: ServiceName,
    outbox: &[OutboxRow],
    changes: usize,
    start: Timestamp,
    world: &World,
) {
    let Some(systems) = tracer.systems() else { return };
    let (mut seen, mut sampled) = (HashSet::new(), Vec::new());
    for origin in outbox.iter().flat_map(origins) {
        if let Some(trace) = TraceContext::sampled(origin)
            && seen.insert(origin.order_id)
            && sampled.len() < LINKS_MAX
        {
            sampled.push((origin.order_id, trace));
        }
    }
    if sampled.is_empty() {
        return;
    }
    let (batch, end) = (world.new_id(), world.now());
    let batch_span = Link { trace_id: batch.as_u128(), span_id: span_id(batch, "batch") };
    let span = |trace_id, span_id, parent, links, more: (&'static str, Value)| SpanRecord {
        trace_id,
        span_id,
        parent,
        kind: SpanKind::Internal,
        name: format!("commit {service}").into(),
        start,
        end,
        attributes: attributes(service, systems, more),
        links,
        error: None,
    };
    let mut members = Vec::with_capacity(sampled.len());
    for (order, trace) in sampled {
        let id = span_id(batch, &order.to_string());
        members.push(Link { trace_id: trace.trace_id, span_id: id });
        let order = (ORDER_ID, order.to_string().into());
        tracer.record(span(trace.trace_id, id, Some(trace.span_id), vec![batch_span], order));
    }
    let size = ("db.operation.batch.size", changes.into());
    tracer.record(span(batch_span.trace_id, batch_span.span_id, None, members, size));
}

fn origins(row: &OutboxRow) -> impl Iterator<Item = &Origin> {
    let messages = match &row.content {
        Content::Fresh(messages) => messages.as_slice(),
        Content::Parked(_) => &[],
    };
    messages.iter().map(|message| &message.origin)
}

fn attributes(
    service: ServiceName,
    systems: Systems,
    more: (&'static str, Value),
) -> Vec<(&'static str, Value)> {
    vec![
        (SERVICE, service.as_str().into()),
        ("db.system.name", systems.database.into()),
        ("db.operation.name", "COMMIT".into()),
        more,
    ]
}
