//! What others put into our queues, and what the broker itself gives up.

use crate::test_vhost::vhost;
use ordermill_actors::ports::{Broker, DeadMessage, Delivery, DeliverySink};
use ordermill_broker_contract::collector::{Collector, TestConsumer, ack, consumer_of};
use ordermill_broker_contract::samples::{at, by_channel, envelope, message, orders};
use ordermill_broker_contract::{Backend, send};
use ordermill_domain::failures::Failures;
use ordermill_domain::messages::{Exchange, Kind, Queue, UNROUTED};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

const PREFETCH: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn an_unreadable_message_is_a_dead_letter_and_the_consumer_goes_on() {
    let place = vhost().await;
    for queue in Queue::ALL {
        let consumer = consumer_of(&place, *queue, PREFETCH).await;
        let nonsense = ["", "no JSON", "{}", &"[".repeat(10_000), &"x".repeat(1024 * 1024)];
        for text in nonsense {
            // Headers that we write ourselves, with what we never write in them; a user that is not ours
            // cannot be named, the broker sees to that.
            let headers = json!({"x-attempt": "many", "x-first-failed-at": 7, "x-death": "x",
                                 "x-cause": {"a": 1}, "traceparent": [1]});
            let properties = json!({"headers": headers, "expiration": "60000"});
            place.vhost.publish(queue.as_str(), &properties, text).await;
        }
        for delivery in consumer.exactly(nonsense.len()).await {
            let error = delivery.content.unwrap_err().error;
            delivery.channel.reject(delivery.tag, format!("malformed: {error}\n\u{7}"), at());
        }
        for _ in 0..nonsense.len() {
            let dead = consumer.dead().await;
            let unreadable = dead.content.unwrap_err();
            assert!(nonsense.contains(&unreadable.body.as_str()));
            assert_eq!(dead.cause, format!("malformed: {}  ", unreadable.error));
            assert_eq!(dead.failures, Failures { count: 1, since: Some(at()) });
            (dead.stored)();
        }
        if *queue == Queue::OrderEvents {
            let sent = send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, 1));
            ack(&[consumer.one().await]);
            sent.taken().await;
        }
    }
    place.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn readable_messages_of_a_bundle_survive_unreadable_ones() {
    let place = vhost().await;
    let consumer = consumer_of(&place, Queue::OrderEvents, PREFETCH).await;
    let good = |order| {
        serde_json::from_str::<Value>(message(Kind::PaymentReversed, order).json()).unwrap()
    };
    let bad = envelope(Kind::PaymentApproved, 2, &json!("nothing"));
    let id = "01900000-0000-7000-9000-000000000000";
    let bundle = json!({"bundle_id": id, "messages": [good(1), bad, good(3), 4]}).to_string();
    place.vhost.publish("order.events", &json!({}), &bundle).await;
    let delivery = consumer.one().await;
    assert_eq!(orders(&delivery), [1, 3]);
    let unreadable = delivery.content.as_ref().unwrap().unreadable();
    assert_eq!(unreadable.len(), 2);
    assert_eq!(unreadable[1].body, "4");
    ack(&[delivery]);
    place.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_copy_bears_nothing_of_its_way_and_of_strangers() {
    let place = vhost().await;
    let consumer = consumer_of(&place, Queue::OrderEvents, PREFETCH).await;
    let headers =
        json!({"traceparent": "00-a-b-01", "x-death": [], "CC": ["audit.events"], "more": "y"});
    let properties = json!({
        "message_id": "m", "type": "t", "correlation_id": "o", "delivery_mode": 1, "priority": 3,
        "timestamp": 1_700_000_000, "expiration": "60000", "reply_to": "r", "headers": headers,
    });
    place.vhost.publish("order.events", &properties, "no JSON").await;
    let delivery = consumer.one().await;
    drop(consumer.subscription);
    delivery.channel.reject(delivery.tag, "impossible".to_owned(), at());
    drop(delivery);
    place.until_depth("order.events.dlq", 1).await;
    let mut dead = place.vhost.take("order.events.dlq").await.unwrap();
    // Counted by the queue that it is in now.
    dead["properties"]["headers"].as_object_mut().unwrap().remove("x-delivery-count");
    assert_eq!(dead["payload"], "no JSON");
    assert_eq!(
        dead["properties"],
        json!({
            "message_id": "m", "type": "t", "correlation_id": "o", "delivery_mode": 2, "priority": 3,
            "timestamp": 1_700_000_000, "app_id": "ordermill", "content_type": "application/json",
            "headers": {
                "traceparent": "00-a-b-01", "x-attempt": 1, "x-first-failed-at": "2026-03-01T10:00:00.123456Z",
                "x-cause": "impossible", "x-original-queue": "order.events",
            },
        })
    );
    place.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn messages_dropped_by_the_broker_carry_a_cause() {
    let place = vhost().await;
    let properties = json!({"expiration": "1", "headers": {"x-attempt": 2}});
    place.vhost.publish("notification.sms", &properties, "late").await;
    place.until_depth("notification.sms.dlq", 1).await;
    // Somebody's own, put there by hand.
    place.vhost.publish("notification.sms.dlq", &json!({}), "mine").await;
    let consumer = consumer_of(&place, Queue::NotificationSms, PREFETCH).await;
    let (late, mine) = (consumer.dead().await, consumer.dead().await);
    assert_eq!(late.cause, "dead-lettered by the broker: the message expired");
    assert_eq!((late.queue, late.failures.count), (Queue::NotificationSms, 2));
    assert_eq!(mine.cause, "published to the dead-letter queue by another client; cause unknown");
    (late.stored)();
    (mine.stored)();
    drop(consumer);
    place.until_depth("notification.sms.dlq", 0).await;
    place.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn an_unconsumed_channel_queue_is_visible_and_express_messages_come_first() {
    let place = vhost().await;
    send(&place, Exchange::NotificationChannels, &by_channel("pigeon", 1)).taken().await;
    place.until_depth(UNROUTED, 1).await;
    for (order, priority) in [(2, "standard"), (3, "express"), (4, "standard"), (5, "express")] {
        let data =
            json!({"channel": "sms", "to": "1", "subject": "s", "body": "b", "priority": priority});
        let text = envelope(Kind::NotificationSend, order, &data).to_string();
        let message = ordermill_domain::messages::Message::from_json(&text).unwrap();
        send(&place, Exchange::NotificationChannels, &message).taken().await;
    }
    let consumer = consumer_of(&place, Queue::NotificationSms, 1).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let delivery = consumer.one().await;
        seen.extend(orders(&delivery));
        ack(&[delivery]);
    }
    assert_eq!(seen, [3, 5, 2, 4]);
    place.close().await;
}

/// Panics over the first of what it gets of each kind.
#[derive(Default)]
struct PanickingSink {
    collector: Arc<Collector>,
    panicked: [AtomicBool; 2],
}

impl PanickingSink {
    fn first(&self, kind: usize) -> bool {
        !self.panicked[kind].swap(true, Relaxed)
    }
}

impl DeliverySink for PanickingSink {
    fn deliver(&self, delivery: Delivery) {
        assert!(!self.first(0), "of the test");
        self.collector.deliver(delivery);
    }

    fn store_dead_letter(&self, dead: DeadMessage) {
        assert!(!self.first(1), "of the test");
        self.collector.store_dead_letter(dead);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_message_is_redelivered_after_its_consumer_panics() {
    let place = vhost().await;
    let sink = Arc::new(PanickingSink::default());
    let subscription =
        place.broker.subscribe(Queue::OrderEvents, PREFETCH, sink.clone()).await.unwrap();
    let sent = send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, 1));
    let consumer_of = TestConsumer { collector: sink.collector.clone(), subscription };
    let delivery = consumer_of.one().await;
    delivery.channel.reject(delivery.tag, "it is bad".to_owned(), at());
    (consumer_of.dead().await.stored)();
    sent.taken().await;
    assert!(sink.panicked.iter().all(|panicked| panicked.load(Relaxed)));
    place.close().await;
}
