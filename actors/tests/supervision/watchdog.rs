//! A consumer that gets nothing although messages wait is noticed, and subscribes again.

use ordermill_actors::runtime::consumer::Handler;
use ordermill_actors::runtime::consumer_watchdog::SILENT_AFTER;
use ordermill_actors::runtime::service_builder::Process;
use ordermill_actors::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_actors::shipping::ShippingMemory;
use ordermill_actors::testing::{ManualBroker, MemoryStore, world};
use ordermill_domain::messages::Queue;
use ordermill_domain::shipping::{Shipping, ShippingPolicy};
use ractor::Actor;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const QUEUE: Queue = Queue::ShippingCommands;

/// Hands the consumer one message, whatever it says.
async fn hands_one(broker: &ManualBroker) {
    broker.consumer().await.store_dead_letter(dead());
}

fn dead() -> ordermill_actors::ports::DeadMessage {
    ordermill_actors::ports::DeadMessage {
        queue: QUEUE,
        content: Err(ordermill_domain::messages::Unreadable {
            error: "none".to_owned(),
            body: "{".to_owned(),
        }),
        failures: Default::default(),
        cause: "a test".to_owned(),
        stored: Box::new(|| {}),
    }
}

struct Idle;

impl Handler for Idle {
    fn handle(&self, _: Arc<ordermill_domain::messages::Message>, ticket: Ticket<()>) {
        ticket.complete(TicketOutcome::Done(()));
    }
}

async fn process(broker: Arc<ManualBroker>) -> Process {
    let mut process = Process::new(world(), broker);
    let store: MemoryStore<ShippingMemory> = MemoryStore::default();
    let shipping = Arc::new(Shipping { policy: ShippingPolicy::default() });
    let mut stations = process.service("shipping", shipping, Arc::new(store));
    stations.consume(QUEUE, Arc::new(Idle));
    let part = stations.finish();
    Actor::spawn(None, process.supervisor(vec![part]), ()).await.unwrap();
    process
}

#[tokio::test(start_paused = true)]
async fn a_silent_consumer_subscribes_again_and_that_is_counted() {
    let broker = Arc::new(ManualBroker::of(QUEUE));
    let process = process(broker.clone()).await;
    tokio::time::sleep(SILENT_AFTER * 10).await;
    assert_eq!(broker.subscriptions.load(Relaxed), 1, "nothing waits, so that nothing is missed");
    broker.ready.store(5, Relaxed);
    tokio::time::sleep(SILENT_AFTER / 2).await;
    assert_eq!(broker.subscriptions.load(Relaxed), 1, "messages may take a while");
    tokio::time::sleep(SILENT_AFTER).await;
    assert_eq!(broker.subscriptions.load(Relaxed), 2);
    let page = process.tree.actor(QUEUE.as_str()).unwrap();
    assert_eq!(page.actor.restarts, 1);
    assert!(page.failures[0].cause.contains("received no messages"), "{page:?}");
    tokio::time::sleep(SILENT_AFTER * 2).await;
    assert!(broker.subscriptions.load(Relaxed) >= 3, "and again, while nothing comes");
}

#[tokio::test(start_paused = true)]
async fn a_consumer_with_deliveries_or_an_unavailable_broker_is_not_silent() {
    let broker = Arc::new(ManualBroker::of(QUEUE));
    let process = process(broker.clone()).await;
    broker.ready.store(5, Relaxed);
    for _ in 0..20 {
        tokio::time::sleep(SILENT_AFTER / 3).await;
        hands_one(&broker).await;
    }
    broker.away.store(true, Relaxed);
    tokio::time::sleep(SILENT_AFTER * 10).await;
    broker.away.store(false, Relaxed);
    tokio::time::sleep(SILENT_AFTER / 2).await;
    assert_eq!(broker.subscriptions.load(Relaxed), 1, "the outage does not count");

    process.consumers[0].close();
    tokio::time::sleep(SILENT_AFTER * 3).await;
    assert!(process.tree.restart(QUEUE.as_str()));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(broker.subscriptions.load(Relaxed), 1, "closed, it takes nothing, in no life");
}
