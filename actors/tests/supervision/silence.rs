//! A consumer that gets nothing although messages wait is noticed, and subscribes again.

use async_trait::async_trait;
use ordermill_actors::messages::Queue;
use ordermill_actors::ports::{
    Broker, BrokerError, Confirm, Confirmed, Depth, Health, Sink, Subscription,
};
use ordermill_actors::runtime::consumer::Handler;
use ordermill_actors::runtime::outbox::Parcel;
use ordermill_actors::runtime::silence::SILENT_AFTER;
use ordermill_actors::runtime::stations::Process;
use ordermill_actors::runtime::ticket::{Settled, Ticket};
use ordermill_actors::shipping::{Shipping, ShippingMemory, ShippingPolicy};
use ordermill_actors::testing::{MemoryStore, world};
use ractor::Actor;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const QUEUE: Queue = Queue::ShippingCommands;

/// A broker that takes subscriptions and hands out nothing by itself.
#[derive(Default)]
struct Mute {
    ready: AtomicU64,
    away: AtomicBool,
    subscriptions: AtomicU64,
    sink: Mutex<Option<Arc<dyn Sink>>>,
}

struct Held;

impl Subscription for Held {}

#[async_trait]
impl Broker for Mute {
    fn publish(&self, _: Parcel, confirm: Confirm) {
        confirm(Confirmed::Taken);
    }

    async fn subscribe(
        &self,
        _: Queue,
        _: usize,
        sink: Arc<dyn Sink>,
    ) -> Result<Box<dyn Subscription>, BrokerError> {
        self.subscriptions.fetch_add(1, Relaxed);
        *self.sink.lock().unwrap() = Some(sink);
        Ok(Box::new(Held))
    }

    async fn depths(&self) -> Result<Vec<Depth>, BrokerError> {
        if self.away.load(Relaxed) {
            return Err(BrokerError("told to be away".to_owned()));
        }
        let ready = self.ready.load(Relaxed);
        Ok(vec![Depth { queue: QUEUE, ready, unacked: 0, consumers: 1 }])
    }

    fn health(&self) -> Health {
        Health::Connected
    }
}

impl Mute {
    /// Hands it one message, whatever it says.
    fn hands_one(&self) {
        let sink = self.sink.lock().unwrap().clone().unwrap();
        sink.bury(crate::silence::dead());
    }
}

fn dead() -> ordermill_actors::ports::Dead {
    ordermill_actors::ports::Dead {
        queue: QUEUE,
        content: Err(ordermill_actors::messages::Unreadable {
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
    fn handle(&self, _: Arc<ordermill_actors::messages::Message>, ticket: Ticket<()>) {
        ticket.settle(Settled::Done(()));
    }
}

async fn process(broker: Arc<Mute>) -> Process {
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
    let broker = Arc::new(Mute::default());
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
    assert!(page.failures[0].cause.contains("silent"), "{page:?}");
    tokio::time::sleep(SILENT_AFTER * 2).await;
    assert!(broker.subscriptions.load(Relaxed) >= 3, "and again, while nothing comes");
}

#[tokio::test(start_paused = true)]
async fn who_gets_something_or_whose_broker_is_away_is_not_silent() {
    let broker = Arc::new(Mute::default());
    let process = process(broker.clone()).await;
    broker.ready.store(5, Relaxed);
    for _ in 0..20 {
        tokio::time::sleep(SILENT_AFTER / 3).await;
        broker.hands_one();
    }
    broker.away.store(true, Relaxed);
    tokio::time::sleep(SILENT_AFTER * 10).await;
    broker.away.store(false, Relaxed);
    tokio::time::sleep(SILENT_AFTER / 2).await;
    assert_eq!(broker.subscriptions.load(Relaxed), 1, "the outage does not count");

    process.intakes[0].close();
    tokio::time::sleep(SILENT_AFTER * 3).await;
    assert!(process.tree.restart(QUEUE.as_str()));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(broker.subscriptions.load(Relaxed), 1, "closed, it takes nothing, in no life");
}
