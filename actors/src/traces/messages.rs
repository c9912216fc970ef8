//! The spans of messages: published once, handled in one or several attempts.
//!
//! Published again, a message has the same span again. Each attempt to handle it is a span of its own, below the
//! message's, and linked to the attempt that failed before.

use super::{Link, ORDER_ID, SERVICE, SpanKind, SpanRecord, Tracer, Value};
use ordermill_domain::clock::{Timestamp, World};
use ordermill_domain::messages::{
    Body, Exchange, Message, Queue, TraceContext, routing_key, span_id,
};
use ordermill_domain::outbox::OutboundMessage;
use std::sync::Arc;
use uuid::Uuid;

fn publish_span_id(event: Uuid, exchange: Exchange) -> u64 {
    // An event may be published twice, to whom it concerns and for the record.
    span_id(event, exchange.as_str())
}

fn process_span_id(event: Uuid, queue: Queue, attempt: u32) -> u64 {
    span_id(event, &format!("{queue} {attempt}"))
}

fn attributes(message: &Message, operation: &'static str) -> Vec<(&'static str, Value)> {
    vec![
        (ORDER_ID, message.order_id().to_string().into()),
        ("ordermill.event_type", message.kind().as_str().into()),
        ("messaging.message.id", message.event_id.to_string().into()),
        ("messaging.message.conversation_id", message.order_id().to_string().into()),
        ("messaging.operation.name", operation.into()),
    ]
}

/// Records that the broker has taken a publish. What is published again because a consumer has failed on it was
/// recorded before.
pub fn published(tracer: &Tracer, published: &OutboundMessage, start: Timestamp, world: &World) {
    let Some(systems) = tracer.systems() else { return };
    let is_sampled = |message: &Arc<Message>| TraceContext::sampled(&message.origin).is_some();
    if !published.body.messages().iter().any(is_sampled) {
        return;
    }
    let end = world.now();
    let OutboundMessage { exchange, body, failures, .. } = published;
    if failures.count > 0 {
        return;
    }
    let bundle = bundle_span(body, *exchange);
    let key = body.routing_key();
    let destination = [
        ("messaging.system", systems.messaging.into()),
        ("messaging.operation.type", "send".into()),
        ("messaging.destination.name", destination(&[exchange.as_str(), key]).into()),
        ("messaging.rabbitmq.destination.routing_key", key.to_owned().into()),
    ];
    let span = |its: Link, parent, links, mut attributes: Vec<(&'static str, Value)>| {
        attributes.extend(destination.iter().cloned());
        SpanRecord {
            trace_id: its.trace_id,
            span_id: its.span_id,
            parent,
            kind: SpanKind::Producer,
            name: format!("publish {}", exchange.as_str()).into(),
            start,
            end,
            attributes,
            links,
            error: None,
        }
    };
    let mut members = Vec::new();
    for message in body.messages() {
        let Some(trace) = TraceContext::sampled(&message.origin) else { continue };
        let span_id = publish_span_id(message.event_id, *exchange);
        let its = Link { trace_id: trace.trace_id, span_id };
        members.push(its);
        let links = bundle.into_iter().collect();
        tracer.record(span(its, Some(trace.span_id), links, attributes(message, "publish")));
    }
    if let Some(bundle) = bundle {
        let attributes = vec![
            ("messaging.operation.name", "publish".into()),
            ("messaging.batch.message_count", body.messages().len().into()),
        ];
        tracer.record(span(bundle, None, members, attributes));
    }
}

/// The span of a bundle, in a trace of its own: one row may fill several bundles, each with messages of its own.
fn bundle_span(body: &Body, exchange: Exchange) -> Option<Link> {
    let Body::Bundle(bundle) = body else { return None };
    let first = bundle.messages.first()?.event_id;
    let trace = Uuid::new_v5(&bundle.id, format!("{first} {}", exchange.as_str()).as_bytes());
    Some(Link { trace_id: trace.as_u128(), span_id: publish_span_id(bundle.id, exchange) })
}

/// `a:b:c`, equal parts once.
fn destination(parts: &[&str]) -> String {
    let mut kept: Vec<&str> = Vec::with_capacity(parts.len());
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if !kept.contains(part) {
            kept.push(part);
        }
    }
    kept.join(":")
}

/// One attempt to handle a message.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The queue it came from.
    pub queue: Queue,
    /// How often it failed before.
    pub failures: u32,
    /// When it was delivered.
    pub delivered: Timestamp,
}

/// Records that an attempt has ended: everything that the message caused is committed, or it failed.
pub fn processed(
    tracer: &Tracer,
    message: &Message,
    attempt: Attempt,
    world: &World,
    error: Option<&str>,
) {
    let Some((systems, trace)) = tracer.systems().zip(TraceContext::sampled(&message.origin))
    else {
        return;
    };
    let Attempt { queue, failures, delivered } = attempt;
    let exchange = queue.exchange();
    let destination = destination(&[exchange.as_str(), routing_key(message), queue.as_str()]);
    let mut attributes = attributes(message, "process");
    attributes.extend([
        (SERVICE, queue.service().as_str().into()),
        ("messaging.system", systems.messaging.into()),
        ("messaging.operation.type", "process".into()),
        ("messaging.destination.name", destination.into()),
        ("ordermill.attempt", (failures + 1).into()),
    ]);
    if error.is_some() {
        attributes.push(("error.type", "handler_failed".into()));
    }
    let failed = failures.checked_sub(1).map(|before| Link {
        trace_id: trace.trace_id,
        span_id: process_span_id(message.event_id, queue, before),
    });
    tracer.record(SpanRecord {
        trace_id: trace.trace_id,
        span_id: process_span_id(message.event_id, queue, failures),
        parent: Some(publish_span_id(message.event_id, exchange)),
        kind: SpanKind::Consumer,
        name: format!("process {queue}").into(),
        start: delivered,
        end: world.now(),
        attributes,
        links: failed.into_iter().collect(),
        error: error.map(str::to_owned),
    });
}
