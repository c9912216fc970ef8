//! A message as AMQP carries it: properties and headers, written and read.
//!
//! | property | | header | |
//! |---|---|---|---|
//! | `message_id` | the event's, or the bundle's, id | `traceparent` | the trace it belongs to |
//! | `type` | its name, or `bundle` | `x-attempt` | how often it has failed |
//! | `correlation_id` | the order | `x-first-failed-at` | since when |
//! | `timestamp` | when it was decided | `channel` | email, sms |
//! | `priority` | for customers | `x-cause`, `x-original-queue` | of a dead letter |
//!
//! The body is the message, or the bundle, as `messages/body.rs` writes it; what it is shows there, and `type` only
//! says so to people. Everything is persistent. Headers of strangers are read with care: what cannot be read is not there.

use chrono::SecondsFormat;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::failures::Failures;
use ordermill_domain::messages::{
    Body, Exchange, ExchangeKind, Message, NotificationMessage, Payload, Priority, Queue,
    Unreadable, routing_key,
};
use std::collections::BTreeMap;

/// The headers of a message.
pub mod header {
    /// The trace that it belongs to; of a bundle, where all of its messages belong to one.
    pub const TRACEPARENT: &str = "traceparent";
    /// How often its consumer has failed on it. None: never.
    pub const ATTEMPT: &str = "x-attempt";
    /// When it failed first.
    pub const FIRST_FAILED_AT: &str = "x-first-failed-at";
    /// Of a message for a customer: the channel.
    pub const CHANNEL: &str = "channel";
    /// Of a dead letter: why.
    pub const CAUSE: &str = "x-cause";
    /// Of a dead letter: the queue that it was consumed from.
    pub const ORIGINAL_QUEUE: &str = "x-original-queue";
}

use header::{ATTEMPT, CAUSE, CHANNEL, FIRST_FAILED_AT, ORIGINAL_QUEUE, TRACEPARENT};

const APP_ID: &str = "ordermill";
const JSON: &str = "application/json";
/// The `type` of several messages in one.
const BUNDLE: &str = "bundle";
/// Kept on disk, where the queue is.
const PERSISTENT: u8 = 2;

/// A customer in a hurry is told first.
const PRIORITY_EXPRESS: u8 = 9;
const PRIORITY_STANDARD: u8 = 4;

/// Bytes of a header's text at the most: a sentence, not a stack trace. All headers must fit one frame (128 KiB), or the
/// broker closes the connection each time.
const TEXT_BYTES_MAX: usize = 1_000;

/// Bytes of a routing key at the most, by the protocol.
const KEY_BYTES_MAX: usize = 255;

/// Bytes of a message at the most: a bundle's 64 messages, each as long as the largest request that is
/// taken (64 KiB), and their envelopes. Longer ones were not made here.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes that are kept of what is longer.
const EXCERPT_BYTES: usize = 64 * 1024;

/// A body's properties, for a publish to `exchange`.
pub fn properties(exchange: Exchange, body: &Body, failures: Failures) -> BasicProperties {
    let mut headers = BTreeMap::new();
    let first = body.messages().first();
    if let Some(trace) = first.and_then(|message| message.origin.traceparent.as_deref()) {
        // A bundle's messages may be of several traces; each names its own in its envelope.
        let shared =
            |other: &std::sync::Arc<Message>| other.origin.traceparent.as_deref() == Some(trace);
        if body.messages().iter().all(shared) {
            put(&mut headers, TRACEPARENT, &clean(trace));
        }
    }
    let mut properties = BasicProperties::default()
        .with_content_type(JSON.into())
        .with_delivery_mode(PERSISTENT)
        .with_app_id(APP_ID.into())
        .with_message_id(body.id().to_string().into());
    if let Some(message) = first {
        let seconds = u64::try_from(message.occurred_at.timestamp()).unwrap_or_default();
        properties = properties.with_timestamp(seconds);
    }
    match body {
        Body::Bundle(_) => properties = properties.with_type(BUNDLE.into()),
        Body::One(message) => {
            properties = properties
                .with_type(message.kind().as_str().into())
                .with_correlation_id(message.order_id().to_string().into());
            if exchange.kind() == ExchangeKind::Headers {
                put(&mut headers, CHANNEL, &clean(routing_key(message)));
            }
            if let Payload::Notification(NotificationMessage::Send(send)) = &message.payload {
                properties = properties.with_priority(match send.priority {
                    Priority::Express => PRIORITY_EXPRESS,
                    Priority::Standard => PRIORITY_STANDARD,
                });
            }
        }
    }
    put_failures(&mut headers, failures);
    properties.with_headers(headers.into())
}

/// What a body is routed by. What AMQP cannot write goes nowhere, and comes back.
pub fn key(exchange: Exchange, body: &Body) -> &str {
    match exchange.kind() {
        ExchangeKind::Direct | ExchangeKind::Topic | ExchangeKind::Headers => {
            Some(body.routing_key()).filter(|key| key.len() <= KEY_BYTES_MAX).unwrap_or_default()
        }
        // It asks for none, and its bundles are of many names.
        ExchangeKind::Fanout => "",
    }
}

/// The properties of a copy of a message that failed. It bears what a message of ours bears and nothing else:
///
/// - no `x-death`, `x-first-death-*` or `x-delivery-count`: the broker would take the copy's way for a circle, and keep it for ever;
/// - no `user_id` that is not ours, no headers so long that ours no longer fit: the broker would close the
///   channel, or the connection, each time that the copy is published;
/// - no `CC`, no expiry: it would go elsewhere, or be gone.
pub fn again(original: &BasicProperties, failures: Failures) -> BasicProperties {
    let mut headers = BTreeMap::new();
    for name in [TRACEPARENT, CHANNEL] {
        if let Some(text) = headers_of(original).and_then(|headers| words(headers.get(name)?)) {
            put(&mut headers, name, &clean(&text));
        }
    }
    put_failures(&mut headers, failures);
    let mut copy = BasicProperties::default()
        .with_content_type(JSON.into())
        .with_delivery_mode(PERSISTENT)
        .with_app_id(APP_ID.into())
        .with_headers(headers.into());
    if let Some(id) = original.message_id() {
        copy = copy.with_message_id(id.clone());
    }
    if let Some(name) = original.kind() {
        copy = copy.with_type(name.clone());
    }
    if let Some(order) = original.correlation_id() {
        copy = copy.with_correlation_id(order.clone());
    }
    if let Some(time) = original.timestamp() {
        copy = copy.with_timestamp(*time);
    }
    if let Some(priority) = original.priority() {
        copy = copy.with_priority(*priority);
    }
    copy
}

/// The properties of a dead letter, made from those of its copy.
pub fn dead(copy: BasicProperties, queue: Queue, cause: &str) -> BasicProperties {
    let mut headers = headers_of(&copy).cloned().unwrap_or_default();
    put(&mut headers, CAUSE, &clean(cause));
    put(&mut headers, ORIGINAL_QUEUE, queue.as_str());
    copy.with_headers(headers.into())
}

/// How often a message has failed, and since when, as its headers say.
pub fn failures(properties: &BasicProperties) -> Failures {
    let Some(headers) = headers_of(properties) else { return Failures::default() };
    let count = headers.get(ATTEMPT).and_then(number).unwrap_or_default();
    let since = headers.get(FIRST_FAILED_AT).and_then(words);
    let since = since.and_then(|text| text.parse::<Timestamp>().ok());
    Failures { count, since: since.filter(|_| count > 0) }
}

/// Why a dead letter was given up: by its consumer, or by the broker itself.
pub fn cause(properties: &BasicProperties) -> String {
    let headers = headers_of(properties);
    if let Some(cause) = headers.and_then(|headers| words(headers.get(CAUSE)?)) {
        return clean(&cause);
    }
    let latest = headers.and_then(|headers| match headers.get("x-death")? {
        AMQPValue::FieldArray(deaths) => match deaths.as_slice().first()? {
            AMQPValue::FieldTable(death) => words(death.inner().get("reason")?),
            _ => None,
        },
        _ => None,
    });
    match latest.as_deref() {
        Some("delivery_limit") => {
            "dead-lettered by the broker: delivery limit reached without an acknowledgement"
                .to_owned()
        }
        Some("expired") => "dead-lettered by the broker: the message expired".to_owned(),
        Some(reason) => format!("dead-lettered by the broker: {}", clean(reason)),
        None => "published to the dead-letter queue by another client; cause unknown".to_owned(),
    }
}

/// Reads what came to a queue.
pub fn read(bytes: &[u8]) -> Result<Body, Unreadable> {
    if bytes.len() <= MESSAGE_BYTES_MAX {
        return Body::read(bytes);
    }
    Err(Unreadable {
        body: String::from_utf8_lossy(&bytes[..EXCERPT_BYTES]).into_owned(),
        error: format!("the message has {} bytes; the maximum is {MESSAGE_BYTES_MAX}", bytes.len()),
    })
}

/// A text as a header holds it: short, on one line.
fn clean(words: &str) -> String {
    let mut text = String::with_capacity(words.len().min(TEXT_BYTES_MAX));
    for letter in words.chars() {
        if text.len() + letter.len_utf8() > TEXT_BYTES_MAX {
            break;
        }
        text.push(if letter.is_control() { ' ' } else { letter });
    }
    text
}

type Headers = BTreeMap<ShortString, AMQPValue>;

fn headers_of(properties: &BasicProperties) -> Option<&Headers> {
    properties.headers().as_ref().map(FieldTable::inner)
}

fn put(headers: &mut Headers, name: &'static str, text: &str) {
    headers.insert(name.into(), AMQPValue::LongString(text.into()));
}

fn put_failures(headers: &mut Headers, failures: Failures) {
    headers.remove(ATTEMPT);
    headers.remove(FIRST_FAILED_AT);
    if failures.count > 0 {
        headers.insert(ATTEMPT.into(), AMQPValue::LongLongInt(failures.count.into()));
    }
    if let Some(since) = failures.since {
        put(headers, FIRST_FAILED_AT, &since.to_rfc3339_opts(SecondsFormat::Micros, true));
    }
}

fn words(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

fn number(value: &AMQPValue) -> Option<u32> {
    let number = match *value {
        AMQPValue::ShortShortInt(number) => number.into(),
        AMQPValue::ShortShortUInt(number) => number.into(),
        AMQPValue::ShortInt(number) => number.into(),
        AMQPValue::ShortUInt(number) => number.into(),
        AMQPValue::LongInt(number) => number.into(),
        AMQPValue::LongUInt(number) => number.into(),
        AMQPValue::LongLongInt(number) => number,
        _ => return None,
    };
    u32::try_from(number).ok()
}

#[cfg(test)]
mod tests;
