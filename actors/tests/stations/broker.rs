//! What any broker promises: at least once, in order, bounded, confirmed when it is safe.

use crate::toy::said;
use ordermill_actors::broker::LocalBroker;
use ordermill_actors::clock::Timestamp;
use ordermill_actors::messages::{Body, Exchange, Queue};
use ordermill_actors::ports::{Broker, Confirmed, Dead, Delivery, Failures, Sink, Subscription};
use ordermill_actors::runtime::outbox::Parcel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

const AT: Timestamp = Timestamp::UNIX_EPOCH;

#[derive(Default)]
struct Basket {
    deliveries: Mutex<Vec<Delivery>>,
    dead: Mutex<Vec<Dead>>,
}

impl Sink for Basket {
    fn deliver(&self, delivery: Delivery) {
        self.deliveries.lock().unwrap().push(delivery);
    }

    fn bury(&self, dead: Dead) {
        self.dead.lock().unwrap().push(dead);
    }
}

impl Basket {
    fn take(&self) -> Vec<Delivery> {
        std::mem::take(&mut self.deliveries.lock().unwrap())
    }
}

fn publish(broker: &LocalBroker, key: u32, attempt: u32) -> oneshot::Receiver<Confirmed> {
    let (sender, receiver) = oneshot::channel();
    let body = Body::One(said(key, 0, chrono::DateTime::UNIX_EPOCH));
    let failures = Failures { count: attempt, since: (attempt > 0).then_some(AT) };
    let parcel = Parcel { failures, ..Parcel::new(Exchange::SagaEvents, body) };
    broker.publish(parcel, Box::new(move |how| drop(sender.send(how))));
    receiver
}

async fn subscribe(broker: &LocalBroker, prefetch: usize) -> (Arc<Basket>, Box<dyn Subscription>) {
    let basket = Arc::new(Basket::default());
    let held = broker.subscribe(Queue::OrderEvents, prefetch, basket.clone()).await.unwrap();
    (basket, held)
}

#[tokio::test]
async fn a_message_waits_for_its_consumer_and_is_confirmed_by_its_ack() {
    let broker = LocalBroker::default();
    let mut confirm = publish(&broker, 1, 0);
    let (basket, _held) = subscribe(&broker, 10).await;
    let delivery = basket.take().pop().unwrap();
    assert!(confirm.try_recv().is_err(), "not before it is acked");
    delivery.channel.ack(delivery.tag);
    assert_eq!(confirm.await, Ok(Confirmed::Taken));
}

#[tokio::test]
async fn no_more_than_the_prefetch_is_with_a_consumer_and_order_is_kept() {
    let broker = LocalBroker::default();
    let (basket, _held) = subscribe(&broker, 3).await;
    let _confirms: Vec<_> = (0..10).map(|key| publish(&broker, key, 0)).collect();
    let mut seen = Vec::new();
    while let [first, rest @ ..] = &basket.take()[..] {
        assert!(rest.len() < 3);
        for delivery in std::iter::once(first).chain(rest) {
            seen.push(delivery.tag);
            delivery.channel.ack(delivery.tag);
        }
    }
    assert_eq!(seen, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_message_that_fails_is_deferred_longer_each_time_then_dies() {
    let broker = LocalBroker::default();
    let (basket, _held) = subscribe(&broker, 10).await;
    for (attempt, seconds) in [(0, 1), (1, 5), (2, 30)] {
        let confirm = publish(&broker, 1, attempt);
        let delivery = basket.take().pop().unwrap();
        delivery.channel.retry(delivery.tag, "it failed".to_owned(), AT);
        let deferred = Confirmed::Deferred {
            missing: vec![Queue::OrderEvents],
            failures: Failures { count: attempt + 1, since: Some(AT) },
            delay: Duration::from_secs(seconds),
        };
        assert_eq!(confirm.await, Ok(deferred));
    }
    let mut confirm = publish(&broker, 1, 3);
    let delivery = basket.take().pop().unwrap();
    delivery.channel.retry(delivery.tag, "it failed".to_owned(), AT);
    let dead = basket.dead.lock().unwrap().pop().unwrap();
    assert_eq!((dead.failures.count, dead.cause.as_str()), (4, "it failed"));
    assert!(confirm.try_recv().is_err(), "not before the dead letter is stored");
    (dead.stored)();
    assert_eq!(confirm.await, Ok(Confirmed::Taken));
}

#[tokio::test]
async fn a_message_that_can_never_be_handled_dies_at_once() {
    let broker = LocalBroker::default();
    let (basket, _held) = subscribe(&broker, 10).await;
    let _confirm = publish(&broker, 1, 0);
    let delivery = basket.take().pop().unwrap();
    delivery.channel.reject(delivery.tag, "impossible".to_owned(), AT);
    assert_eq!(basket.dead.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_with_a_consumer_that_is_gone_comes_again() {
    let broker = LocalBroker::default();
    let (basket, held) = subscribe(&broker, 10).await;
    let confirm = publish(&broker, 1, 0);
    let lost = basket.take().pop().unwrap();
    drop(held);
    let (basket, _held) = subscribe(&broker, 10).await;
    let again = basket.take().pop().unwrap();
    lost.channel.ack(lost.tag);
    again.channel.ack(again.tag);
    assert_eq!(confirm.await, Ok(Confirmed::Taken), "and a late ack doubles nothing");
}

#[tokio::test]
async fn what_no_queue_takes_comes_back() {
    let broker = LocalBroker::default();
    let (sender, receiver) = oneshot::channel();
    let body = Body::One(said(1, 0, chrono::DateTime::UNIX_EPOCH));
    let parcel = Parcel::new(Exchange::SagaCommands, body);
    broker.publish(parcel, Box::new(move |how| drop(sender.send(how))));
    assert_eq!(receiver.await, Ok(Confirmed::Unroutable));
}

#[tokio::test]
async fn a_dead_letter_that_was_never_stored_comes_again() {
    let broker = LocalBroker::default();
    let (basket, held) = subscribe(&broker, 10).await;
    let mut confirm = publish(&broker, 1, 0);
    let delivery = basket.take().pop().unwrap();
    delivery.channel.reject(delivery.tag, "impossible".to_owned(), AT);
    // Its consumer dies with it in its mailbox.
    basket.dead.lock().unwrap().clear();
    drop(held);
    assert!(confirm.try_recv().is_err());
    let (basket, _held) = subscribe(&broker, 10).await;
    let again = basket.take().pop().unwrap();
    again.channel.ack(again.tag);
    assert_eq!(confirm.await, Ok(Confirmed::Taken));
}
