//! A handler that panics harms its own message only, and that one ends as a dead letter.

use crate::toy::{node, said};
use ordermill_actors::broker::LocalBroker;
use ordermill_actors::messages::{Body, Exchange, Queue};
use ordermill_actors::ports::{Broker, Confirmed, Failures};
use ordermill_actors::runtime::address::Address;
use ordermill_actors::runtime::consumer::{Cemetery, Consumer, ConsumerParts, Handler};
use ordermill_actors::runtime::outbox::Parcel;
use ordermill_actors::runtime::service::DeadLetter;
use ordermill_actors::runtime::ticket::{Settled, Ticket};
use ordermill_actors::testing::world;
use ractor::Actor;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// Panics on the order of key 666, and is done with every other at once.
struct Superstitious;

impl Handler for Superstitious {
    fn handle(&self, body: Body, ticket: Ticket<()>) {
        assert_ne!(body.messages()[0].order_id().0.as_u128(), 666, "told to panic");
        ticket.settle(Settled::Done(()));
    }
}

#[derive(Default)]
struct Letters(Mutex<Vec<DeadLetter>>);

impl Cemetery for Letters {
    fn bury(&self, letter: DeadLetter, stored: Box<dyn FnOnce() + Send>) {
        self.0.lock().unwrap().push(letter);
        stored();
    }
}

fn publish(broker: &LocalBroker, key: u32, attempt: u32) -> oneshot::Receiver<Confirmed> {
    let (sender, receiver) = oneshot::channel();
    let body = Body::One(said(key, 0, chrono::DateTime::UNIX_EPOCH));
    let failures = Failures { count: attempt, since: None };
    let parcel = Parcel { failures, ..Parcel::new(Exchange::SagaEvents, body) };
    broker.publish(parcel, Box::new(move |how| drop(sender.send(how))));
    receiver
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_to_the_end_leaves_a_dead_letter() {
    let (world, broker) = (world(), LocalBroker::default());
    let letters = Arc::new(Letters::default());
    let parts = Arc::new(ConsumerParts {
        queue: Queue::OrderEvents,
        prefetch: 10,
        broker: Arc::new(broker.clone()),
        handler: Arc::new(Superstitious),
        cemetery: letters.clone(),
        world: world.clone(),
        address: Address::new(node(&world, "consumer")),
        traffic: Arc::default(),
    });
    Actor::spawn(None, Consumer::new(parts), ()).await.unwrap();
    for attempt in 0..3 {
        let confirm = publish(&broker, 666, attempt);
        let neighbour = publish(&broker, 1, 0);
        assert!(matches!(confirm.await, Ok(Confirmed::Deferred { .. })), "counted");
        assert_eq!(neighbour.await, Ok(Confirmed::Taken));
    }
    assert_eq!(publish(&broker, 666, 3).await, Ok(Confirmed::Taken), "kept as a dead letter");
    let letters = letters.0.lock().unwrap();
    assert_eq!((letters.len(), letters[0].attempts), (1, 4));
    assert!(letters[0].cause.contains("panicked"));
}
