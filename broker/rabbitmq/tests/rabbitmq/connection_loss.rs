//! Losing connections, channels and queues: nothing else is lost.

use crate::test_vhost::{through_proxy, vhost};
use ordermill_actors::ports::{
    Broker, DeadMessage, Delivery, DeliverySink, Health, PublishOutcome,
};
use ordermill_broker_contract::backend::PATIENCE;
use ordermill_broker_contract::collector::{ack, consumer_of};
use ordermill_broker_contract::samples::{feed, message, orders};
use ordermill_broker_contract::{Backend, send};
use ordermill_domain::messages::{Body, Exchange, Kind, Queue};
use ordermill_domain::outbox::OutboundMessage;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const MESSAGES: u32 = 5_000;
const LOSSES: usize = 6;
const PREFETCH: usize = 500;

/// Settles what it gets, and remembers it.
#[derive(Default)]
struct RecordingSink {
    seen: Mutex<BTreeSet<u32>>,
    deliveries: AtomicUsize,
}

impl DeliverySink for RecordingSink {
    fn deliver(&self, delivery: Delivery) {
        self.deliveries.fetch_add(1, Relaxed);
        self.seen.lock().unwrap().extend(orders(&delivery));
        delivery.channel.ack(delivery.tag);
    }

    fn store_dead_letter(&self, dead: DeadMessage) {
        panic!("failed: {}", dead.cause);
    }
}

impl RecordingSink {
    fn seen(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE * 2, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn connections_are_cut_again_and_again_and_nothing_is_lost() {
    let (place, proxy) = through_proxy("").await;
    let place = Arc::new(place);
    let (events, audited) =
        (Arc::new(RecordingSink::default()), Arc::new(RecordingSink::default()));
    let _events =
        place.broker.subscribe(Queue::OrderEvents, PREFETCH, events.clone()).await.unwrap();
    let _audit =
        place.broker.subscribe(Queue::AuditEvents, PREFETCH, audited.clone()).await.unwrap();
    let (taken, other) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let publisher = tokio::spawn({
        let (place, taken, other) = (place.clone(), taken.clone(), other.clone());
        async move {
            for order in 0..MESSAGES {
                for (exchange, body) in [
                    (Exchange::SagaEvents, Body::One(message(Kind::PaymentReversed, order))),
                    (Exchange::AuditFanout, feed([order])),
                ] {
                    let (taken, other) = (taken.clone(), other.clone());
                    let confirm = Box::new(move |how| {
                        let count = if how == PublishOutcome::Taken { taken } else { other };
                        count.fetch_add(1, Relaxed);
                    });
                    place.broker.publish(OutboundMessage::new(exchange, body), confirm);
                }
                if order % 10 == 0 {
                    tokio::time::sleep(Duration::from_millis(8)).await;
                }
            }
        }
    });
    let mut closed = 0;
    for _ in 0..LOSSES {
        tokio::time::sleep(Duration::from_millis(700)).await;
        until("it is connected", || place.broker.health() == Health::Connected).await;
        closed += proxy.cut();
    }
    publisher.await.unwrap();
    until("everything is confirmed", || taken.load(Relaxed) == 2 * MESSAGES as usize).await;
    until("every event comes", || events.seen() == MESSAGES as usize).await;
    until("every feed comes", || audited.seen() == MESSAGES as usize).await;
    let deliveries = events.deliveries.load(Relaxed) + audited.deliveries.load(Relaxed);
    println!(
        "{closed} connections cut; of {} messages {} came again",
        2 * MESSAGES,
        deliveries - 2 * MESSAGES as usize
    );
    assert!(closed >= LOSSES, "only {closed} connections were cut");
    assert_eq!(other.load(Relaxed), 0);
    place.until_depth("order.events", 0).await;
    assert_eq!(place.broker.health(), Health::Connected);
    place.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_lost_connection_shows_and_passes() {
    let place = vhost().await;
    let consumer = consumer_of(&place, Queue::OrderEvents, PREFETCH).await;
    let first = send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, 1));
    let in_flight = consumer.one().await;
    first.taken().await;
    place.vhost.close_connections().await;
    until("it is noticed", || matches!(place.broker.health(), Health::Away(_))).await;
    let back = until("it passes", || place.broker.health() == Health::Connected).await;
    println!("closed connections are back after {back:.2?}");
    // What was in hand is somebody else's now, and its late ack harms nobody.
    let again = consumer.one().await;
    ack(&[in_flight]);
    let second = send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, 2));
    let next = consumer.one().await;
    assert_eq!((orders(&again), orders(&next)), (vec![1], vec![2]));
    ack(&[again, next]);
    second.taken().await;
    place.until_depth("order.events", 0).await;
    place.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_deleted_queue_comes_back() {
    let place = vhost().await;
    let consumer = consumer_of(&place, Queue::PaymentCommands, PREFETCH).await;
    let send = |order| send(&place, Exchange::SagaCommands, &message(Kind::PaymentProcess, order));
    let sent = send(1);
    ack(&[consumer.one().await]);
    sent.taken().await;
    place.vhost.delete_queue("payment.commands").await;
    place.vhost.delete_queue("payment.commands.dlq").await;
    // What is published meanwhile comes back to its outbox; later it is taken again.
    let deadline = Instant::now() + PATIENCE;
    while send(2).ended().await == PublishOutcome::Unroutable {
        assert!(Instant::now() < deadline, "the queue does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let delivery = consumer.one().await;
    assert_eq!(orders(&delivery), [2]);
    ack(&[delivery]);
    place.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_missing_queue_does_not_affect_other_queues() {
    let place = vhost().await;
    let consumer = consumer_of(&place, Queue::OrderEvents, PREFETCH).await;
    let sent = send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, 1));
    let in_flight = consumer.one().await;
    sent.taken().await;
    // It ends the channel that asks, and no other: what is in hand would come again.
    let asked = place.rpc().ask("nobody.there", "{}".to_owned(), PATIENCE).await;
    assert!(asked.is_err());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(place.broker.health(), Health::Connected);
    consumer.nothing_comes().await;
    ack(&[in_flight]);
    place.close().await;
}

/// Fails on everything, for good.
struct RejectingSink(Mutex<Vec<DeadMessage>>);

impl DeliverySink for RejectingSink {
    fn deliver(&self, delivery: Delivery) {
        delivery.channel.reject(
            delivery.tag,
            "impossible".to_owned(),
            ordermill_broker_contract::samples::at(),
        );
    }

    fn store_dead_letter(&self, dead: DeadMessage) {
        self.0.lock().unwrap().push(dead);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn no_dead_letter_is_lost_with_a_connection() {
    const DEAD: u32 = 500;
    let (place, proxy) = through_proxy("").await;
    let sink = Arc::new(RejectingSink(Mutex::default()));
    let _held = place.broker.subscribe(Queue::OrderEvents, 50, sink.clone()).await.unwrap();
    for order in 0..DEAD {
        let _ = send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, order));
        if order % 100 == 50 {
            until("it is connected", || place.broker.health() == Health::Connected).await;
            assert!(proxy.cut() > 0);
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let mut buried = BTreeSet::new();
    until("all of them are dead letters", || {
        for dead in std::mem::take(&mut *sink.0.lock().unwrap()) {
            let body = dead.content.unwrap();
            let order = body.messages()[0].order_id().0.as_u128();
            buried.insert(order);
            (dead.stored)();
        }
        buried.len() == DEAD as usize
    })
    .await;
    place.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_silent_broker_is_detected() {
    let (place, proxy) = through_proxy("heartbeat=1").await;
    let consumer = consumer_of(&place, Queue::OrderEvents, PREFETCH).await;
    send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, 1)).taken().await;
    let in_flight = consumer.one().await;
    proxy.hold(true);
    let held = send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, 2));
    let noticed = until("it is noticed", || matches!(place.broker.health(), Health::Away(_))).await;
    assert!(noticed < Duration::from_secs(6), "{noticed:?}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    proxy.hold(false);
    held.taken().await;
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        for delivery in consumer.at_least(1).await {
            seen.extend(orders(&delivery));
            ack(&[delivery]);
        }
    }
    ack(&[in_flight]);
    until("it passes", || place.broker.health() == Health::Connected).await;
    place.until_depth("order.events", 0).await;
    place.close().await;
}
