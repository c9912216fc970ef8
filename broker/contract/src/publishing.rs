//! Publishing: everything comes to where it belongs, and nowhere else.

use crate::backend::{Backend, QUIET, publish, send};
use crate::collector::{ack, consumer_of};
use crate::samples::{self, TRACE, at, by_channel, each_order, feed, message};
use ordermill_actors::ports::PublishOutcome;
use ordermill_domain::failures::Failures;
use ordermill_domain::messages::{
    BINDINGS, Body, Exchange, ExchangeKind, Kind, Message, Queue, queues_for,
};
use ordermill_domain::outbox::OutboundMessage;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const PREFETCH: usize = 100;

/// What a binding carries.
fn sample(exchange: Exchange, key: &str, order: u32) -> Body {
    match exchange.kind() {
        ExchangeKind::Fanout => feed([order]),
        ExchangeKind::Headers => Body::One(by_channel(key, order)),
        ExchangeKind::Direct | ExchangeKind::Topic => {
            let kind = Kind::ALL.iter().copied().find(|kind| kind.as_str() == key).unwrap();
            Body::One(message(kind, order))
        }
    }
}

pub async fn every_binding_brings_its_messages(backend: &dyn Backend) {
    let mut consumers = BTreeMap::new();
    for queue in Queue::ALL {
        consumers.insert(*queue, consumer_of(backend, *queue, PREFETCH).await);
    }
    let mut expected: BTreeMap<Queue, Vec<u32>> = BTreeMap::new();
    let mut sent = Vec::new();
    for (order, binding) in BINDINGS.iter().copied().flatten().enumerate() {
        let order = u32::try_from(order).unwrap();
        let body = sample(binding.exchange, binding.key, order);
        for queue in queues_for(binding.exchange, &body) {
            expected.entry(queue).or_default().push(order);
        }
        sent.push(publish(backend, OutboundMessage::new(binding.exchange, body)));
    }
    assert_eq!(expected.len(), Queue::ALL.len(), "every queue is bound to something");
    for (queue, consumer_of) in &consumers {
        let deliveries = consumer_of.exactly(expected[queue].len()).await;
        assert!(deliveries.iter().all(|delivery| delivery.queue == *queue));
        assert_eq!(each_order(&deliveries), expected[queue], "{queue}");
        ack(&deliveries);
    }
    for sent in sent {
        sent.taken().await;
    }
    tokio::time::sleep(QUIET).await;
    for (queue, consumer_of) in &consumers {
        assert!(consumer_of.take().is_empty(), "{queue} got more");
    }
}

pub async fn channels_are_told_apart_by_their_name(backend: &dyn Backend) {
    let email = consumer_of(backend, Queue::NotificationEmail, PREFETCH).await;
    let sms = consumer_of(backend, Queue::NotificationSms, PREFETCH).await;
    let channels = ["sms", "email", "sms"];
    let sent: Vec<_> = (1..)
        .zip(channels)
        .map(|(order, channel)| {
            send(backend, Exchange::NotificationChannels, &by_channel(channel, order))
        })
        .collect();
    let (by_email, by_sms) = (email.exactly(1).await, sms.exactly(2).await);
    assert_eq!((each_order(&by_email), each_order(&by_sms)), (vec![2], vec![1, 3]));
    ack(&by_email);
    ack(&by_sms);
    for sent in sent {
        sent.taken().await;
    }
}

pub async fn only_unroutable_messages_are_returned(backend: &dyn Backend) {
    let consumer = consumer_of(backend, Queue::OrderEvents, 1_000).await;
    // Nobody listens to orders being created where commands are sent.
    let sent: Vec<_> = (0..600)
        .map(|order| match order % 3 {
            0 => send(backend, Exchange::SagaCommands, &message(Kind::OrderCreated, order)),
            _ => send(backend, Exchange::SagaEvents, &message(Kind::PaymentReversed, order)),
        })
        .collect();
    // What is taken may come twice: where it is not certain that a message was taken, it is published again.
    let mut seen = BTreeSet::new();
    while seen.len() < 400 {
        let deliveries = consumer.at_least(1).await;
        seen.extend(each_order(&deliveries));
        ack(&deliveries);
    }
    assert!(seen.iter().all(|order| order % 3 != 0), "what no queue takes came: {seen:?}");
    for (order, sent) in sent.into_iter().enumerate() {
        let expected =
            if order % 3 == 0 { PublishOutcome::Unroutable } else { PublishOutcome::Taken };
        assert_eq!(sent.ended().await, expected, "order {order}");
    }
}

pub async fn a_message_for_some_queues_goes_to_those_only(backend: &dyn Backend) {
    let inventory = consumer_of(backend, Queue::InventoryPaymentApproved, PREFETCH).await;
    let order = consumer_of(backend, Queue::OrderPaymentApproved, PREFETCH).await;
    let failures = Failures { count: 2, since: Some(at()) };
    let message = OutboundMessage {
        only: Some(vec![Queue::OrderPaymentApproved]),
        failures,
        ..OutboundMessage::new(Exchange::Payment, Body::One(message(Kind::PaymentApproved, 1)))
    };
    let sent = publish(backend, message);
    let delivery = order.one().await;
    assert_eq!(delivery.failures, failures);
    ack(&[delivery]);
    sent.taken().await;
    inventory.nothing_comes().await;
}

pub async fn a_thousand_messages_keep_their_order(backend: &dyn Backend) {
    let sent: Vec<_> = (0..1_000)
        .map(|order| send(backend, Exchange::SagaEvents, &message(Kind::PaymentReversed, order)))
        .collect();
    let consumer = consumer_of(backend, Queue::OrderEvents, 50).await;
    let mut seen = Vec::new();
    while seen.len() < 1_000 {
        let deliveries = consumer.at_least(1).await;
        seen.extend(each_order(&deliveries));
        ack(&deliveries);
    }
    assert_eq!(seen, (0..1_000).collect::<Vec<_>>());
    for sent in sent {
        sent.taken().await;
    }
}

pub async fn a_bundle_comes_whole(backend: &dyn Backend) {
    let consumer = consumer_of(backend, Queue::AuditEvents, PREFETCH).await;
    let sent = publish(backend, OutboundMessage::new(Exchange::AuditFanout, feed(0..64)));
    let delivery = consumer.one().await;
    let body = delivery.content.clone().unwrap();
    assert_eq!(samples::orders(&delivery), (0..64).collect::<Vec<_>>());
    assert_eq!(body.to_json(), feed(0..64).to_json());
    ack(&[delivery]);
    sent.taken().await;
}

pub async fn message_properties_are_preserved(backend: &dyn Backend) {
    let consumer = consumer_of(backend, Queue::PaymentCommands, PREFETCH).await;
    let original = message(Kind::PaymentProcess, 7);
    let sent = send(backend, Exchange::SagaCommands, &original);
    let delivery = consumer.one().await;
    assert_eq!(delivery.failures, Failures::default());
    let Ok(Body::One(came)) = &delivery.content else { panic!("it can be read") };
    assert_eq!((came.event_id, came.number), (original.event_id, original.number));
    assert_eq!((&came.origin, &came.payload), (&original.origin, &original.payload));
    assert_eq!(came.occurred_at, at());
    assert_eq!(came.origin.traceparent.as_deref(), Some(TRACE));
    ack(&[delivery]);
    sent.taken().await;
}

pub async fn a_long_message_comes_whole(backend: &dyn Backend) {
    let consumer = consumer_of(backend, Queue::NotificationEmail, PREFETCH).await;
    let text = "äöü € 🦀\n".repeat(60_000);
    let data = json!({"channel": "email", "to": "c", "subject": "s", "body": text});
    let long = samples::envelope(Kind::NotificationSend, 1, &data).to_string();
    let long = Message::from_json(&long).unwrap();
    let sent = send(backend, Exchange::NotificationChannels, &long);
    let delivery = consumer.one().await;
    let Ok(Body::One(came)) = &delivery.content else { panic!("it can be read") };
    assert_eq!(came.payload, long.payload);
    ack(&[delivery]);
    sent.taken().await;
}
