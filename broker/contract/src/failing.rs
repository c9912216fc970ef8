//! Failing: again after a while, counted; then, or at once, a dead letter with its cause.

use crate::backend::{Backend, QUIET, publish, send};
use crate::collector::{ack, consumer_of};
use crate::samples::{at, bundle, each_order, feed, message, orders};
use ordermill_actors::ports::{Delivery, DeliveryPart, Disposition, Remainder};
use ordermill_domain::failures::Failures;
use ordermill_domain::messages::{Body, Exchange, Kind, Queue, RETRY_DELAYS, Unreadable};
use ordermill_domain::outbox::OutboundMessage;
use std::time::Duration;
use tokio::time::Instant;

const PREFETCH: usize = 100;
const CAUSE: &str = "the gateway does not answer";

fn fail(delivery: &Delivery) -> Instant {
    delivery.channel.retry(delivery.tag, CAUSE.to_owned(), at());
    Instant::now()
}

/// A message that has failed so often already.
fn failed(count: u32, order: u32) -> OutboundMessage {
    let failures = Failures { count, since: (count > 0).then(at) };
    let body = Body::One(message(Kind::PaymentReversed, order));
    OutboundMessage { failures, ..OutboundMessage::new(Exchange::SagaEvents, body) }
}

pub async fn a_failed_message_is_redelivered_later_and_counted(backend: &dyn Backend) {
    let consumer = consumer_of(backend, Queue::OrderEvents, PREFETCH).await;
    let sent = publish(backend, failed(0, 1));
    let mut delivery = consumer.one().await;
    let original = delivery.content.clone().unwrap();
    // The last delay is left to those with more time.
    for (count, delay) in (1..).zip(&RETRY_DELAYS[..2]) {
        let begun = fail(&delivery);
        delivery = consumer.one().await;
        let rested = begun.elapsed();
        assert!(rested > *delay - Duration::from_millis(50), "{rested:?}, not {delay:?}");
        assert!(rested < *delay + Duration::from_secs(4), "{rested:?}, not {delay:?}");
        assert_eq!(delivery.failures, Failures { count, since: Some(at()) });
        let again = delivery.content.clone().unwrap();
        assert_eq!((again.id(), again.to_json()), (original.id(), original.to_json()));
    }
    ack(&[delivery]);
    sent.taken().await;
    consumer.nothing_comes().await;
}

pub async fn it_comes_again_to_the_queue_that_failed_only(backend: &dyn Backend) {
    let inventory = consumer_of(backend, Queue::InventoryPaymentApproved, PREFETCH).await;
    let order = consumer_of(backend, Queue::OrderPaymentApproved, PREFETCH).await;
    let sent = send(backend, Exchange::Payment, &message(Kind::PaymentApproved, 1));
    ack(&[order.one().await]);
    fail(&inventory.one().await);
    let again = inventory.one().await;
    assert_eq!(again.failures.count, 1);
    ack(&[again]);
    sent.taken().await;
    order.nothing_comes().await;
}

pub async fn it_is_given_up_after_the_last_delay(backend: &dyn Backend) {
    let consumer = consumer_of(backend, Queue::OrderEvents, PREFETCH).await;
    let last = u32::try_from(RETRY_DELAYS.len()).unwrap();
    let sent = publish(backend, failed(last, 5));
    let delivery = consumer.one().await;
    assert_eq!(delivery.failures.count, last);
    fail(&delivery);
    let dead = consumer.dead().await;
    assert_eq!((dead.queue, dead.cause.as_str()), (Queue::OrderEvents, CAUSE));
    assert_eq!(dead.failures, Failures { count: last + 1, since: Some(at()) });
    assert_eq!(dead.content.unwrap().to_json(), delivery.content.unwrap().to_json());
    (dead.stored)();
    sent.taken().await;
    consumer.nothing_comes().await;
}

pub async fn a_rejected_message_is_dead_lettered_at_once(backend: &dyn Backend) {
    let consumer = consumer_of(backend, Queue::OrderEvents, PREFETCH).await;
    let sent = publish(backend, failed(0, 5));
    let delivery = consumer.one().await;
    delivery.channel.reject(delivery.tag, "impossible".to_owned(), at());
    let dead = consumer.dead().await;
    assert_eq!((dead.queue, dead.cause.as_str()), (Queue::OrderEvents, "impossible"));
    assert_eq!(dead.failures, Failures { count: 1, since: Some(at()) });
    (dead.stored)();
    sent.taken().await;
    // Stored is stored, also for whoever comes next.
    drop(consumer);
    consumer_of(backend, Queue::OrderEvents, PREFETCH).await.nothing_comes().await;
}

pub async fn an_unstored_dead_letter_is_redelivered(backend: &dyn Backend) {
    let first = consumer_of(backend, Queue::OrderEvents, PREFETCH).await;
    let _sent = publish(backend, failed(0, 5));
    let delivery = first.one().await;
    delivery.channel.reject(delivery.tag, "impossible".to_owned(), at());
    // Its consumer dies with it in its mailbox.
    drop(first.dead().await);
    drop((first, delivery));
    let second = consumer_of(backend, Queue::OrderEvents, PREFETCH).await;
    second.anything().await;
}

pub async fn others_go_on_meanwhile(backend: &dyn Backend) {
    let consumer = consumer_of(backend, Queue::OrderEvents, 2).await;
    let failing = publish(backend, failed(0, 0));
    let begun = fail(&consumer.one().await);
    let sent: Vec<_> = (1..=20).map(|order| publish(backend, failed(0, order))).collect();
    let mut others = 0;
    while others < 20 {
        let deliveries = consumer.at_least(1).await;
        assert!(deliveries.iter().all(|delivery| orders(delivery) != [0]));
        others += deliveries.len();
        ack(&deliveries);
    }
    for sent in sent {
        sent.taken().await;
    }
    assert!(begun.elapsed() < RETRY_DELAYS[0], "they waited for the one that failed");
    ack(&[consumer.one().await]);
    failing.taken().await;
}

/// What becomes of one of a bundle's messages.
fn remainder(delivery: &Delivery, index: usize, disposition: Disposition) -> Remainder {
    let message = delivery.content.as_ref().unwrap().messages()[index].clone();
    Remainder {
        part: DeliveryPart::Message(message),
        disposition,
        cause: CAUSE.to_owned(),
        at: at(),
    }
}

fn acknowledge(delivery: &Delivery, remainder: Vec<Remainder>) {
    delivery.channel.acknowledge(delivery.tag, remainder);
}

pub async fn only_failed_messages_of_a_bundle_are_redelivered(backend: &dyn Backend) {
    let consumer = consumer_of(backend, Queue::InventoryCommands, PREFETCH).await;
    let body = bundle(Kind::InventoryReserve, 0..64);
    let sent = publish(backend, OutboundMessage::new(Exchange::SagaCommands, body));
    let delivery = consumer.one().await;
    assert_eq!(orders(&delivery), (0..64).collect::<Vec<_>>());
    acknowledge(
        &delivery,
        vec![
            remainder(&delivery, 7, Disposition::Retry),
            remainder(&delivery, 63, Disposition::Retry),
        ],
    );
    let mut again = consumer.exactly(2).await;
    again.sort_by_key(orders);
    assert_eq!(each_order(&again), [7, 63]);
    for delivery in &again {
        assert_eq!(delivery.failures, Failures { count: 1, since: Some(at()) });
        assert!(matches!(delivery.content, Ok(Body::One(_))), "by itself");
    }
    // One fails again, counted for it alone.
    fail(&again[0]);
    ack(&again[1..]);
    let again = consumer.one().await;
    assert_eq!((orders(&again), again.failures.count), (vec![7], 2));
    ack(&[again]);
    sent.taken().await;
    consumer.nothing_comes().await;
}

pub async fn each_message_of_a_bundle_is_dead_lettered_by_itself(backend: &dyn Backend) {
    let consumer = consumer_of(backend, Queue::OrderEvents, PREFETCH).await;
    let body = bundle(Kind::InventoryReserved, 0..4);
    let sent = publish(backend, OutboundMessage::new(Exchange::SagaEvents, body));
    let delivery = consumer.one().await;
    let nonsense = Unreadable { body: "7".to_owned(), error: "no message".to_owned() };
    let mut remainders = vec![
        remainder(&delivery, 1, Disposition::Reject),
        remainder(&delivery, 2, Disposition::Retry),
    ];
    remainders.push(Remainder {
        part: DeliveryPart::Unreadable(nonsense),
        ..remainder(&delivery, 0, Disposition::Reject)
    });
    acknowledge(&delivery, remainders);
    let mut dead = vec![consumer.dead().await, consumer.dead().await];
    dead.sort_by_key(|dead| dead.content.is_err());
    for dead in &dead {
        assert_eq!((dead.queue, dead.cause.as_str()), (Queue::OrderEvents, CAUSE));
        assert_eq!(dead.failures, Failures { count: 1, since: Some(at()) });
    }
    assert_eq!(dead[1].content.as_ref().unwrap_err().body, "7");
    assert_eq!(dead[0].content, Ok(Body::One(message(Kind::InventoryReserved, 1))));
    dead.into_iter().for_each(|dead| (dead.stored)());
    let again = consumer.one().await;
    assert_eq!((orders(&again), again.failures.count), (vec![2], 1));
    ack(&[again]);
    sent.taken().await;
    consumer.nothing_comes().await;
    // What is acknowledged is acknowledged, also for whoever comes next.
    drop(consumer);
    consumer_of(backend, Queue::OrderEvents, PREFETCH).await.nothing_comes().await;
}

pub async fn a_bundle_may_fail_as_a_whole(backend: &dyn Backend) {
    let consumer = consumer_of(backend, Queue::NotificationOrders, PREFETCH).await;
    let sent = publish(backend, OutboundMessage::new(Exchange::Notification, feed([1, 2, 3])));
    fail(&consumer.one().await);
    let again = consumer.one().await;
    assert_eq!((orders(&again), again.failures.count), (vec![1, 2, 3], 1));
    again.channel.reject(again.tag, "impossible".to_owned(), at());
    let dead = consumer.dead().await;
    assert_eq!(dead.content.unwrap().to_json(), feed([1, 2, 3]).to_json());
    (dead.stored)();
    sent.taken().await;
    tokio::time::sleep(QUIET).await;
    consumer.nothing_comes().await;
}
