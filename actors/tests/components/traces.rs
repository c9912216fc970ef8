//! The spans of a message: published once, handled in attempts; an unsampled order has none.

use crate::consumer::counters;
use crate::toy::node;
use ordermill_actors::broker::LocalBroker;
use ordermill_actors::ports::Broker;
use ordermill_actors::runtime::address::Address;
use ordermill_actors::runtime::consumer::{Consumer, ConsumerParts, DeadLetterSink, Handler};
use ordermill_actors::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_actors::testing::{RecordedTraces, world};
use ordermill_actors::traces::{SpanKind, committed, own_trace, published};
use ordermill_domain::failures::Failures;
use ordermill_domain::ids::{OrderId, ServiceName};
use ordermill_domain::messages::{
    Body, Exchange, Flow, InventoryMessage, Message, Origin, Payload, Plan, Queue,
};
use ordermill_domain::outbox::{OutboundMessage, OutboxRow};
use ordermill_domain::service::DeadLetter;
use ractor::Actor;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use uuid::Uuid;

fn message(order: u128, sampled: bool) -> Arc<Message> {
    let order = OrderId(Uuid::from_u128(order));
    let traceparent = Some(own_trace(order, sampled).traceparent());
    let origin =
        Origin { traceparent, ..Origin::new(order, Flow::Orchestrated, Plan::ReserveFirst) };
    let payload = Payload::Inventory(InventoryMessage::Released);
    Message::new(&origin, payload, 0, chrono::DateTime::UNIX_EPOCH)
}

/// Fails twice, the second time for good.
struct Failing(Mutex<u32>);

impl Handler for Failing {
    fn handle(&self, _: Arc<Message>, ticket: Ticket<()>) {
        let mut failures = self.0.lock().unwrap();
        *failures += 1;
        ticket.complete(match *failures {
            1 => TicketOutcome::Retry("try again".to_owned()),
            2 => TicketOutcome::Dead("no use".to_owned()),
            _ => TicketOutcome::Done(()),
        });
    }
}

struct NoLetters;

impl DeadLetterSink for NoLetters {
    fn store_dead_letter(&self, _: DeadLetter, stored: Box<dyn FnOnce() + Send>) {
        stored();
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_a_span_linked_to_the_one_that_failed() {
    let (world, broker) = (world(), LocalBroker::default());
    let recorded = Arc::<RecordedTraces>::default();
    let parts = Arc::new(ConsumerParts {
        queue: Queue::OrderEvents,
        prefetch: 10,
        broker: Arc::new(broker.clone()),
        handler: Arc::new(Failing(Mutex::new(0))),
        dead_letters: Arc::new(NoLetters),
        world: world.clone(),
        tracer: recorded.tracer(),
        address: Address::new(node(&world, "consumer")),
        traffic: counters(),
    });
    Actor::spawn(None, Consumer::new(parts), ()).await.unwrap();
    let said = OutboundMessage::new(Exchange::SagaEvents, Body::One(message(1, true)));
    published(&recorded.tracer(), &said, world.now(), &world);
    for count in 0..2 {
        let failures = Failures { count, since: None };
        let (sender, confirmed) = oneshot::channel();
        let again = OutboundMessage { failures, ..said.clone() };
        published(&recorded.tracer(), &again, world.now(), &world);
        broker.publish(again, Box::new(|how| sender.send(how).unwrap()));
        confirmed.await.unwrap();
    }
    let spans = recorded.take();
    let published: BTreeSet<_> = spans
        .iter()
        .filter(|span| span.kind == SpanKind::Producer)
        .map(|span| span.span_id)
        .collect();
    assert_eq!(published.len(), 1, "published again, it is the same span");
    let attempts: Vec<_> = spans.iter().filter(|span| span.kind == SpanKind::Consumer).collect();
    let [first, second] = attempts[..] else { panic!("{attempts:#?}") };
    assert_ne!(first.span_id, second.span_id);
    assert!(published.contains(&first.parent.unwrap()));
    assert_eq!(first.parent, second.parent);
    assert_eq!((first.links.len(), second.links[0].span_id), (0, first.span_id));
    let errors = [&first.error, &second.error].map(Option::as_deref);
    assert_eq!(errors, [Some("try again"), Some("no use")]);
}

#[test]
fn a_bundle_is_a_trace_of_its_own_linked_to_its_sampled_messages() {
    let (world, recorded) = (world(), Arc::<RecordedTraces>::default());
    let messages = vec![message(1, true), message(2, false), message(3, true)];
    let body = Body::of(Uuid::from_u128(9), messages).unwrap();
    let bundle = OutboundMessage::new(Exchange::SagaEvents, body);
    published(&recorded.tracer(), &bundle, world.now(), &world);
    let spans = recorded.take();
    let [first, third, group] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!((first.trace_id, third.trace_id, group.parent), (1, 3, None));
    let linked: Vec<_> = group.links.iter().map(|link| (link.trace_id, link.span_id)).collect();
    assert_eq!(linked, [(1, first.span_id), (3, third.span_id)]);
    assert_eq!((first.links[0].trace_id, first.links[0].span_id), (group.trace_id, group.span_id));
}

#[test]
fn a_batch_is_a_trace_of_its_own_linked_to_its_sampled_orders() {
    let (world, recorded) = (world(), Arc::<RecordedTraces>::default());
    let commit = |messages: Vec<Arc<Message>>| {
        let rows = [OutboxRow::fresh(world.new_id(), messages)];
        committed(&recorded.tracer(), ServiceName::Payment, &rows, 5, world.now(), &world);
        recorded.take()
    };
    let spans = commit(vec![message(1, true), message(2, false), message(1, true)]);
    let [order, batch] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!((order.trace_id, batch.parent, &*batch.name), (1, None, "commit payment"));
    assert_eq!(batch.links[0].span_id, order.span_id);
    assert_eq!(order.links[0].trace_id, batch.trace_id);
    assert_eq!(commit(vec![message(2, false)]), [], "nobody of it is sampled");
}
