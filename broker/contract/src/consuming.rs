//! Consuming: bounded, in order, and again when it was not acknowledged.

use crate::backend::{Backend, PATIENCE, QUIET, send};
use crate::collector::{TestConsumer, ack, consumer_of};
use crate::samples::{each_order, message, orders};
use ordermill_actors::ports::Depth;
use ordermill_domain::messages::{Exchange, Kind, Queue};
use tokio::time::Instant;

const QUEUE: Queue = Queue::OrderEvents;

fn publish(backend: &dyn Backend, order: u32) -> crate::PendingOutcome {
    send(backend, Exchange::SagaEvents, &message(Kind::PaymentReversed, order))
}

async fn consumer(backend: &dyn Backend, prefetch: usize) -> TestConsumer {
    consumer_of(backend, QUEUE, prefetch).await
}

pub async fn a_message_waits_for_its_consumer(backend: &dyn Backend) {
    let sent = publish(backend, 1);
    tokio::time::sleep(QUIET).await;
    let consumer = consumer(backend, 10).await;
    ack(&[consumer.one().await]);
    sent.taken().await;
}

pub async fn no_more_than_the_prefetch_is_with_a_consumer(backend: &dyn Backend) {
    let consumer = consumer(backend, 3).await;
    let sent: Vec<_> = (0..10).map(|order| publish(backend, order)).collect();
    let mut seen = Vec::new();
    while seen.len() < 10 {
        let room = 3.min(10 - seen.len());
        let deliveries = consumer.exactly(room).await;
        consumer.nothing_comes().await;
        seen.extend(each_order(&deliveries));
        ack(&deliveries);
    }
    assert_eq!(seen, (0..10).collect::<Vec<_>>());
    for sent in sent {
        sent.taken().await;
    }
}

pub async fn a_slow_delivery_holds_up_no_others(backend: &dyn Backend) {
    let consumer = consumer(backend, 4).await;
    let sent: Vec<_> = (0..100).map(|order| publish(backend, order)).collect();
    let mut first = consumer.at_least(1).await;
    let slow = first.remove(0);
    ack(&first);
    let mut others = first.len();
    while others < 99 {
        let deliveries = consumer.at_least(1).await;
        others += deliveries.len();
        ack(&deliveries);
    }
    assert_eq!(orders(&slow), [0]);
    ack(&[slow]);
    for sent in sent {
        sent.taken().await;
    }
}

pub async fn deliveries_of_a_closed_consumer_are_redelivered(backend: &dyn Backend) {
    let first = consumer(backend, 10).await;
    let sent: Vec<_> = (0..5).map(|order| publish(backend, order)).collect();
    let in_flight = first.exactly(5).await;
    ack(&in_flight[..2]);
    tokio::time::sleep(QUIET).await;
    drop(first);
    drop(in_flight);
    let second = consumer(backend, 10).await;
    let again = second.exactly(3).await;
    assert_eq!(each_order(&again), [2, 3, 4]);
    ack(&again);
    for sent in sent {
        sent.taken().await;
    }
    second.nothing_comes().await;
}

pub async fn what_was_dropped_unacknowledged_comes_again(backend: &dyn Backend) {
    let first = consumer(backend, 10).await;
    let sent = publish(backend, 1);
    // A mailbox is dropped with what is in it, and the others go on.
    drop(first.one().await);
    let other = publish(backend, 2);
    ack(&[first.one().await]);
    other.taken().await;
    drop(first);
    let second = consumer(backend, 10).await;
    let again = second.one().await;
    assert_eq!(orders(&again), [1]);
    ack(&[again]);
    sent.taken().await;
}

pub async fn a_delivery_is_acknowledged_once(backend: &dyn Backend) {
    let consumer = consumer(backend, 10).await;
    let sent = publish(backend, 1);
    let delivery = consumer.one().await;
    let (channel, tag, at) = (delivery.channel.clone(), delivery.tag, crate::samples::at());
    channel.ack(tag);
    channel.ack(tag);
    channel.retry(tag, "too late".to_owned(), at);
    channel.reject(tag, "too late".to_owned(), at);
    sent.taken().await;
    let sent = publish(backend, 2);
    ack(&[consumer.one().await]);
    sent.taken().await;
    consumer.nothing_comes().await;
}

async fn depth(backend: &dyn Backend) -> Depth {
    let depths = backend.broker().depths().await.unwrap();
    assert_eq!(depths.len(), Queue::ALL.len());
    *depths.iter().find(|depth| depth.queue == QUEUE).unwrap()
}

/// Waits until the broker says so; what it says may be a moment old.
async fn until_depth(backend: &dyn Backend, expected: Depth) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = depth(backend).await;
        if now == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{now:?}, not {expected:?}");
        tokio::time::sleep(QUIET / 10).await;
    }
}

pub async fn depths_count_ready_and_unacknowledged_deliveries(backend: &dyn Backend) {
    let expect = |ready, unacked, consumers| Depth { queue: QUEUE, ready, unacked, consumers };
    until_depth(backend, expect(0, 0, 0)).await;
    let sent: Vec<_> = (0..10).map(|order| publish(backend, order)).collect();
    until_depth(backend, expect(10, 0, 0)).await;
    let consumer = consumer(backend, 4).await;
    let deliveries = consumer.exactly(4).await;
    until_depth(backend, expect(6, 4, 1)).await;
    ack(&deliveries[..1]);
    until_depth(backend, expect(5, 4, 1)).await;
    // Whoever held them is gone, and with it what was in its mailbox.
    drop((consumer.take(), consumer, deliveries));
    until_depth(backend, expect(9, 0, 0)).await;
    drop(sent);
}
