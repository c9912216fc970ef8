//! Ending in good order: what is acknowledged is heard, what is not comes again.

use crate::test_vhost::vhost;
use ordermill_actors::ports::Broker;
use ordermill_broker_contract::collector::{ack, consumer_of};
use ordermill_broker_contract::samples::{each_order, message};
use ordermill_broker_contract::{Backend, send};
use ordermill_domain::messages::{Exchange, Kind, Queue};
use ordermill_rabbitmq::RabbitBroker;
use std::time::{Duration, Instant};

const PREFETCH: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn in_flight_deliveries_may_be_acknowledged_after_the_consumer_is_closed() {
    let place = vhost().await;
    let consumer = consumer_of(&place, Queue::OrderEvents, PREFETCH).await;
    let sent: Vec<_> = (0..20)
        .map(|order| send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, order)))
        .collect();
    let in_flight = consumer.exactly(20).await;
    drop(consumer.subscription);
    // It takes no more, also of what is published from now on.
    send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, 20)).taken().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    ack(&in_flight[5..]);
    drop(in_flight);
    for sent in sent {
        sent.taken().await;
    }
    place.until_depth("order.events", 6).await;
    let next = consumer_of(&place, Queue::OrderEvents, PREFETCH).await;
    let deliveries = next.exactly(6).await;
    let mut orders = each_order(&deliveries);
    orders.sort_unstable();
    assert_eq!(orders, [0, 1, 2, 3, 4, 20]);
    ack(&deliveries);
    place.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn the_end_waits_for_acks_and_confirms() {
    let place = vhost().await;
    let consumer = consumer_of(&place, Queue::OrderEvents, 1_000).await;
    let sent: Vec<_> = (0..1_000)
        .map(|order| send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, order)))
        .collect();
    let deliveries = consumer.exactly(1_000).await;
    let last: Vec<_> = (0..1_000)
        .map(|order| send(&place, Exchange::SagaCommands, &message(Kind::PaymentProcess, order)))
        .collect();
    ack(&deliveries);
    let begun = Instant::now();
    place.broker.close().await;
    println!("closed within {:.2?}", begun.elapsed());
    for sent in sent.into_iter().chain(last) {
        sent.taken().await;
    }
    let broker =
        RabbitBroker::connect(place.vhost.url.as_str(), "ordermill test", &[]).await.unwrap();
    for depth in broker.depths().await.unwrap() {
        let expected = if depth.queue == Queue::PaymentCommands { 1_000 } else { 0 };
        assert_eq!(depth.ready, expected, "{}", depth.queue);
    }
    broker.close().await;
    place.vhost.delete().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn a_publish_after_the_end_is_not_lost_silently() {
    let place = vhost().await;
    place.broker.close().await;
    let sent = send(&place, Exchange::SagaEvents, &message(Kind::PaymentReversed, 1));
    assert_eq!(sent.ended().await, ordermill_actors::ports::PublishOutcome::Lost);
    assert!(place.broker.depths().await.is_err());
    place.vhost.delete().await;
}
