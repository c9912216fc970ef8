use super::*;
use ordermill_broker_contract::samples::{TRACE, at, by_channel, envelope, feed, message};
use ordermill_domain::messages::Kind;

fn header(properties: &BasicProperties, name: &str) -> Option<String> {
    words(headers_of(properties)?.get(name)?)
}

fn once() -> Failures {
    Failures { count: 1, since: Some(at()) }
}

#[test]
fn a_message_has_the_properties_that_others_read() {
    let message = message(Kind::PaymentApproved, 7);
    let body = Body::One(message.clone());
    let written = properties(Exchange::SagaEvents, &body, Failures::default());
    let text = |text: &Option<ShortString>| text.as_ref().map(|text| text.as_str().to_owned());
    assert_eq!(text(written.message_id()), Some(message.event_id.to_string()));
    assert_eq!(text(written.correlation_id()), Some(message.order_id().to_string()));
    assert_eq!(text(written.kind()), Some("payment.approved".to_owned()));
    assert_eq!(text(written.content_type()), Some("application/json".to_owned()));
    assert_eq!(*written.delivery_mode(), Some(2));
    assert_eq!(*written.timestamp(), u64::try_from(at().timestamp()).ok());
    assert_eq!(header(&written, "traceparent").as_deref(), Some(TRACE));
    assert_eq!(headers_of(&written).unwrap().len(), 1, "nothing has failed yet");
    assert_eq!(failures(&written), Failures::default());
}

#[test]
fn failures_are_read_as_they_were_written() {
    let body = feed([1, 2]);
    let written = properties(Exchange::AuditFanout, &body, once());
    assert_eq!(written.kind().as_ref().map(ShortString::as_str), Some("bundle"));
    assert_eq!(failures(&written), once());
    let twice = once().and(at() + chrono::TimeDelta::seconds(5));
    assert_eq!(failures(&again(&written, twice)), Failures { count: 2, since: Some(at()) });
}

#[test]
fn headers_of_strangers_are_read_with_care() {
    let mut headers = BTreeMap::new();
    headers.insert(ATTEMPT.into(), AMQPValue::LongLongInt(-3));
    headers.insert(FIRST_FAILED_AT.into(), AMQPValue::LongString("yesterday".into()));
    headers.insert("x-death".into(), AMQPValue::Boolean(true));
    let strange = BasicProperties::default().with_headers(headers.into());
    assert_eq!(failures(&strange), Failures::default());
    assert_eq!(
        cause(&strange),
        "published to the dead-letter queue by another client; cause unknown"
    );
}

#[test]
fn long_or_unusual_text_fits_a_header() {
    let long = "ä\u{0}\n".repeat(100_000);
    let mut text = envelope(Kind::PaymentReversed, 1, &serde_json::Value::Null);
    text["traceparent"] = long.as_str().into();
    let body = Body::One(Message::from_json(&text.to_string()).unwrap());
    let written = properties(Exchange::SagaEvents, &body, once());
    let dead = dead(again(&written, once()), Queue::OrderEvents, &long);
    for (properties, name) in
        [(&written, "traceparent"), (&dead, "traceparent"), (&dead, "x-cause")]
    {
        let text = header(properties, name).unwrap();
        assert!(text.len() <= TEXT_BYTES_MAX && !text.contains(char::is_control), "{name}");
    }
    assert!(cause(&dead).starts_with("ä  ä  "));
    let channel = Body::One(by_channel(&long, 1));
    assert_eq!(key(Exchange::NotificationChannels, &channel), "");
    assert_eq!(key(Exchange::AuditFanout, &feed([1, 2])), "");
    properties(Exchange::NotificationChannels, &channel, once());
}

#[test]
fn an_oversized_message_is_not_read() {
    let bytes = vec![b'x'; MESSAGE_BYTES_MAX + 1];
    let unreadable = read(&bytes).unwrap_err();
    assert_eq!(unreadable.body.len(), EXCERPT_BYTES);
    assert!(unreadable.error.contains("bytes"), "{}", unreadable.error);
}
