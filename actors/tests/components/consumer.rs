//! A message that fails harms no other, whether its handler panics or it came in a bundle; each that is given
//! up is a dead letter of its own.

use crate::toy::{node, said};
use ordermill_actors::broker::LocalBroker;
use ordermill_actors::metrics::ConsumerFamilies;
use ordermill_actors::ports::{Broker, DeadMessage, PublishOutcome};
use ordermill_actors::runtime::address::Address;
use ordermill_actors::runtime::consumer::{
    Consumer, ConsumerCounters, ConsumerParts, DeadLetterSink, Handler,
};
use ordermill_actors::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_actors::testing::{ManualBroker, world};
use ordermill_actors::traces::Tracer;
use ordermill_domain::failures::Failures;
use ordermill_domain::messages::{
    Body, Bundle, Exchange, Message, Queue, RETRY_DELAYS, Unreadable,
};
use ordermill_domain::outbox::OutboundMessage;
use ordermill_domain::service::DeadLetter;
use ractor::Actor;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Panics on the order of key 666, has no use for 13, has nobody decide 7 at first, and is done with every
/// other at once.
#[derive(Default)]
struct PanickingHandler {
    handled: Mutex<Vec<u128>>,
}

impl Handler for PanickingHandler {
    fn handle(&self, message: Arc<Message>, ticket: Ticket<()>) {
        let key = message.order_id().0.as_u128();
        let known = self.handled.lock().unwrap().contains(&key);
        self.handled.lock().unwrap().push(key);
        assert_ne!(key, 666, "told to panic");
        match key {
            13 => ticket.complete(TicketOutcome::Dead("it brings bad luck".to_owned())),
            7 if !known => drop(ticket),
            _ => ticket.complete(TicketOutcome::Done(())),
        }
    }
}

#[derive(Default)]
struct StoredDeadLetters(Mutex<Vec<DeadLetter>>);

impl DeadLetterSink for StoredDeadLetters {
    fn store_dead_letter(&self, letter: DeadLetter, stored: Box<dyn FnOnce() + Send>) {
        self.0.lock().unwrap().push(letter);
        stored();
    }
}

pub fn counters() -> Arc<ConsumerCounters> {
    let metrics = ConsumerFamilies::default().of(Queue::OrderEvents);
    Arc::new(ConsumerCounters::new(metrics))
}

fn publish(broker: &LocalBroker, key: u32, attempt: u32) -> oneshot::Receiver<PublishOutcome> {
    let body = Body::One(said(key, 0, chrono::DateTime::UNIX_EPOCH));
    let failures = Failures { count: attempt, since: None };
    send(broker, OutboundMessage { failures, ..OutboundMessage::new(Exchange::SagaEvents, body) })
}

fn send(broker: &LocalBroker, message: OutboundMessage) -> oneshot::Receiver<PublishOutcome> {
    let (sender, receiver) = oneshot::channel();
    broker.publish(message, Box::new(move |how| drop(sender.send(how))));
    receiver
}

/// A consumer of the saga's replies, its handler, and what it has given up.
async fn consumer(
    broker: &LocalBroker,
) -> (Arc<PanickingHandler>, Arc<StoredDeadLetters>, Arc<ConsumerCounters>) {
    let world = world();
    let (letters, handler) =
        (Arc::new(StoredDeadLetters::default()), Arc::new(PanickingHandler::default()));
    let traffic = counters();
    let parts = Arc::new(ConsumerParts {
        tracer: Tracer::default(),
        queue: Queue::OrderEvents,
        prefetch: 10,
        broker: Arc::new(broker.clone()),
        handler: handler.clone(),
        dead_letters: letters.clone(),
        world: world.clone(),
        address: Address::new(node(&world, "consumer")),
        traffic: traffic.clone(),
    });
    Actor::spawn(None, Consumer::new(parts), ()).await.unwrap();
    (handler, letters, traffic)
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_always_panics_leaves_a_dead_letter() {
    let broker = LocalBroker::default();
    let (_, letters, _) = consumer(&broker).await;
    for attempt in 0..3 {
        let confirm = publish(&broker, 666, attempt);
        let neighbour = publish(&broker, 1, 0);
        assert!(matches!(confirm.await, Ok(PublishOutcome::Deferred { .. })), "counted");
        assert_eq!(neighbour.await, Ok(PublishOutcome::Taken));
    }
    assert_eq!(publish(&broker, 666, 3).await, Ok(PublishOutcome::Taken), "kept as a dead letter");
    let letters = letters.0.lock().unwrap();
    assert_eq!((letters.len(), letters[0].attempts), (1, 4));
    assert!(letters[0].cause.contains("panicked"));
}

#[tokio::test(start_paused = true)]
async fn each_message_of_a_bundle_ends_by_itself() {
    let broker = LocalBroker::default();
    let (handler, letters, traffic) = consumer(&broker).await;
    let (messages, nonsense) = ([1, 666, 7, 13, 2], "7".to_owned());
    let bundle = Bundle {
        id: Uuid::nil(),
        messages: messages.map(|key| said(key, 0, chrono::DateTime::UNIX_EPOCH)).to_vec(),
        unreadable: vec![Unreadable { body: nonsense, error: "no message".to_owned() }],
    };
    let bundle = OutboundMessage::new(Exchange::SagaEvents, Body::Bundle(Arc::new(bundle)));
    let Ok(PublishOutcome::Deferred { left, delay }) = send(&broker, bundle).await else {
        panic!()
    };
    assert_eq!(*handler.handled.lock().unwrap(), [1, 666, 7, 13, 2, 7], "once each, but for 7");
    assert_eq!((left.len(), delay), (1, RETRY_DELAYS[0]));
    assert_eq!(left[0].body.messages()[0].order_id().0.as_u128(), 666, "its panic is its own");
    assert_eq!(left[0].failures.count, 1);
    let letters = letters.0.lock().unwrap();
    let dead_letter_count: Vec<_> =
        letters.iter().map(|letter| (letter.order_id, &*letter.cause)).collect();
    let unlucky = (Some(Uuid::from_u128(13)), "it brings bad luck");
    assert_eq!(dead_letter_count, [(None, "malformed: no message"), unlucky]);
    assert_eq!((traffic.open.load(Relaxed), traffic.settled.load(Relaxed)), (0, 1));
    assert_eq!(traffic.messages.load(Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn a_bundle_given_up_by_the_broker_becomes_one_dead_letter_per_message() {
    let (world, broker) = (world(), Arc::new(ManualBroker::of(Queue::OrderEvents)));
    let letters = Arc::new(StoredDeadLetters::default());
    let parts = Arc::new(ConsumerParts {
        tracer: Tracer::default(),
        queue: Queue::OrderEvents,
        prefetch: 10,
        broker: broker.clone(),
        handler: Arc::new(PanickingHandler::default()),
        dead_letters: letters.clone(),
        world: world.clone(),
        address: Address::new(node(&world, "consumer")),
        traffic: counters(),
    });
    Actor::spawn(None, Consumer::new(parts), ()).await.unwrap();
    let messages = [1, 2, 3].map(|key| said(key, 0, chrono::DateTime::UNIX_EPOCH)).to_vec();
    let (sender, stored) = oneshot::channel();
    broker.consumer().await.store_dead_letter(DeadMessage {
        queue: Queue::OrderEvents,
        content: Ok(Body::of(Uuid::nil(), messages).unwrap()),
        failures: Failures::default(),
        cause: "delivered too often".to_owned(),
        stored: Box::new(|| sender.send(()).unwrap()),
    });
    stored.await.unwrap();
    let letters = letters.0.lock().unwrap();
    assert_eq!(letters.len(), 3);
    for letter in letters.iter() {
        assert!(matches!(Body::read(letter.body.as_bytes()), Ok(Body::One(_))), "to be redriven");
    }
}
