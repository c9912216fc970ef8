//! The relay publishes everything that was committed, parks what cannot get on, forgets the rest.

use crate::toy::{Change, Counter, Counters, Toy, node, said};
use async_trait::async_trait;
use ordermill_actors::metrics::OutboxFamilies;
use ordermill_actors::ports::{
    Broker, BrokerError, ConfirmCallback, DeliverySink, Depth, Health, Outbox, PublishOutcome,
    Store, Subscription,
};
use ordermill_actors::runtime::journal::{Journal, JournalHandle, JournalParts, OutboxListener};
use ordermill_actors::runtime::relay::{Relay, RelayHandle, RelayParts};
use ordermill_actors::runtime::supervisor::{ChildSpec, Supervisor};
use ordermill_actors::runtime::tree::Tree;
use ordermill_actors::testing::{CommitFault, MemoryStore, world};
use ordermill_actors::traces::Tracer;
use ordermill_domain::clock::World;
use ordermill_domain::failures::Failures;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{
    Body, ChannelMessage, Exchange, Flow, InventoryMessage, Message, NotificationMessage, Origin,
    Payload, PaymentMessage, Plan, Priority, Queue,
};
use ordermill_domain::outbox::{Content, OutboundMessage, OutboxRow};
use ordermill_domain::service::{Batch, OutboxMaintenance};
use ractor::Actor;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

/// A broker that answers as it is told, and else takes everything.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<PublishOutcome>>,
    messages: Mutex<Vec<OutboundMessage>>,
    silent: Mutex<bool>,
    unanswered: Mutex<Vec<ConfirmCallback>>,
}

#[async_trait]
impl Broker for Scripted {
    fn publish(&self, message: OutboundMessage, confirm: ConfirmCallback) {
        if message.exchange == Exchange::AuditFanout {
            return confirm(PublishOutcome::Taken);
        }
        if *self.silent.lock().unwrap() {
            self.unanswered.lock().unwrap().push(confirm);
            return;
        }
        self.messages.lock().unwrap().push(message);
        let answer = self.answers.lock().unwrap().pop_front();
        confirm(answer.unwrap_or(PublishOutcome::Taken));
    }

    async fn subscribe(
        &self,
        _: Queue,
        _: usize,
        _: Arc<dyn DeliverySink>,
    ) -> Result<Box<dyn Subscription>, BrokerError> {
        Err(BrokerError("nobody consumes".to_owned()))
    }

    async fn depths(&self) -> Result<Vec<Depth>, BrokerError> {
        Ok(Vec::new())
    }

    fn health(&self) -> Health {
        Health::Connected
    }
}

struct RelayBench {
    world: World,
    store: MemoryStore<Counters>,
    broker: Arc<Scripted>,
    journal: JournalHandle<Toy>,
    tree: Tree,
    relay: RelayHandle,
}

async fn bench() -> RelayBench {
    let world = world();
    let (store, broker) = (MemoryStore::default(), Arc::new(Scripted::default()));
    let journal = JournalHandle::new(node(&world, "journal"));
    let relay = RelayHandle::new(node(&world, "relay"), "toy", &OutboxFamilies::default());
    let journal_parts = Arc::new(JournalParts {
        tracer: Tracer::default(),
        service: Arc::new(Toy),
        store: Arc::new(store.clone()),
        relay: Arc::new(relay.clone()),
        world: world.clone(),
        handle: journal.clone(),
    });
    let relay_parts = Arc::new(RelayParts {
        tracer: Tracer::default(),
        outbox: Arc::new(store.clone()),
        broker: broker.clone(),
        journal: journal.clone(),
        world: world.clone(),
        handle: relay.clone(),
    });
    let tree = Tree::new(world.clock.clone());
    let parts = vec![
        ChildSpec::new(tree.part(None, "journal", "journal"), move || {
            Journal::new(journal_parts.clone())
        }),
        ChildSpec::new(tree.part(None, "relay", "relay"), move || Relay::new(relay_parts.clone())),
    ];
    let root = Supervisor::new(node(&world, "root"), tree.clone(), Arc::new(parts));
    Actor::spawn(None, root, ()).await.unwrap();
    RelayBench { world, store, broker, journal, tree, relay }
}

impl RelayBench {
    fn add(&self, key: u32) {
        let next = Some(Counter { version: 1, sum: 1 });
        self.journal.submit(Change { key, expected: 0, next }, |_| {});
    }

    async fn left(&self) -> (usize, u64) {
        let waiting = self.store.waiting(None, 1_000).await.unwrap().len();
        (waiting, self.store.parked().await.unwrap())
    }

    fn published(&self) -> usize {
        self.broker.messages.lock().unwrap().iter().map(OutboundMessage::size).sum()
    }
}

const A_WHILE: Duration = Duration::from_millis(900);

#[tokio::test(start_paused = true)]
async fn rows_are_forgotten_when_every_message_is_confirmed() {
    let bench = bench().await;
    (0..200).for_each(|key| bench.add(key));
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(bench.published(), 200);
    assert_eq!(bench.left().await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_unroutable_row_is_parked_and_retried() {
    let bench = bench().await;
    bench.broker.answers.lock().unwrap().extend([PublishOutcome::Unroutable, PublishOutcome::Lost]);
    bench.add(1);
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(bench.left().await, (0, 1));
    bench.add(2);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(bench.left().await, (0, 0), "taken in the end");
    assert_eq!(bench.published(), 4, "one held up nobody else");
}

#[tokio::test(start_paused = true)]
async fn only_the_consumer_that_failed_gets_it_again() {
    let bench = bench().await;
    let body = Body::One(said(1, 1, chrono::DateTime::UNIX_EPOCH));
    let left = OutboundMessage {
        only: Some(vec![Queue::OrderEvents]),
        failures: Failures { count: 1, since: None },
        ..OutboundMessage::new(Exchange::SagaEvents, body)
    };
    let deferred =
        PublishOutcome::Deferred { left: vec![left.clone()], delay: Duration::from_secs(1) };
    bench.broker.answers.lock().unwrap().push_back(deferred);
    bench.add(1);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(bench.left().await, (0, 0));
    let again = bench.broker.messages.lock().unwrap().pop().unwrap();
    assert_eq!(again, left, "just what is left");
}

#[tokio::test(start_paused = true)]
async fn rows_of_a_commit_with_an_unknown_outcome_are_published() {
    let bench = bench().await;
    bench.store.fail([CommitFault::UnknownWritten]);
    bench.add(1);
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(bench.published(), 1);
    assert_eq!(bench.left().await, (0, 0));
    assert!(bench.world.now().timestamp() > 0);
}

#[tokio::test(start_paused = true)]
async fn an_unannounced_row_is_found_by_the_periodic_scan() {
    let bench = bench().await;
    tokio::time::sleep(A_WHILE).await;
    let next = Some(Counter { version: 1, sum: 1 });
    let (service, at) = (Arc::new(Toy), bench.world.now());
    let (changes, maintenance) =
        (vec![Change { key: 1, expected: 0, next }], OutboxMaintenance::default());
    let batch = Batch { service, changes, maintenance, at, world: bench.world.clone() };
    assert!(bench.store.commit(&batch).await.is_ok());
    tokio::time::sleep(A_WHILE).await;
    assert_eq!((bench.published(), bench.left().await), (0, (1, 0)));
    tokio::time::sleep(Duration::from_secs(62)).await;
    assert_eq!((bench.published(), bench.left().await), (1, (0, 0)));
}

/// A reply about an order, in one of the flows.
fn reply(order: u32, flow: Flow, payload: Payload) -> Arc<Message> {
    let order_id = OrderId(Uuid::from_u128(u128::from(order)));
    let origin = Origin::new(order_id, flow, Plan::ReserveFirst);
    Message::new(&origin, payload, 0, chrono::DateTime::UNIX_EPOCH)
}

fn mail(order: u32) -> Arc<Message> {
    let [channel, to, subject, body] = ["email", "ada", "Hello", "…"].map(str::to_owned);
    let mail =
        ChannelMessage { channel, to, subject, body, page: None, priority: Priority::Express };
    reply(order, Flow::Orchestrated, Payload::Notification(NotificationMessage::Send(mail)))
}

#[test]
fn messages_with_the_same_route_are_bundled_in_order() {
    use Flow::{Choreographed, Orchestrated};
    let released = |order, flow| reply(order, flow, Payload::Inventory(InventoryMessage::Released));
    let refund = |order| reply(order, Orchestrated, Payload::Payment(PaymentMessage::Refund));
    let messages = vec![
        released(1, Orchestrated),
        refund(1),
        released(2, Orchestrated),
        released(3, Choreographed),
        mail(4),
        mail(5),
        released(1, Orchestrated),
    ];
    let row = OutboxRow::fresh(Uuid::from_u128(7), messages);
    let messages = row.messages();
    let told: Vec<_> = messages
        .iter()
        .map(|message| {
            let orders = message.body.messages().iter();
            let orders: Vec<_> = orders.map(|message| message.order_id().0.as_u128()).collect();
            (message.exchange, message.body.routing_key(), orders)
        })
        .collect();
    assert_eq!(
        told,
        [
            (Exchange::SagaEvents, "inventory.released", vec![1, 2, 1]),
            (Exchange::SagaCommands, "payment.refund", vec![1]),
            (Exchange::Inventory, "inventory.released", vec![3]),
            (Exchange::NotificationChannels, "email", vec![4]),
            (Exchange::NotificationChannels, "email", vec![5]),
            (Exchange::AuditFanout, "inventory.released", vec![1, 2, 3, 1]),
        ]
    );
    assert_eq!(row.size(), told.iter().map(|(_, _, orders)| orders.len()).sum::<usize>());
    assert_eq!(messages[0].body.id(), row.id);
    assert!(matches!(messages[1].body, Body::One(_)), "alone it is as it always was");
}

#[test]
fn a_parked_row_is_read_as_it_was_written() {
    let released =
        |order| reply(order, Flow::Orchestrated, Payload::Inventory(InventoryMessage::Released));
    let fresh = OutboxRow::fresh(Uuid::from_u128(7), vec![released(1), released(2), mail(3)]);
    let row = OutboxRow { content: Content::Parked(fresh.messages()), ..fresh };
    let read = OutboxRow::from_json(row.id, 1, &row.to_json()).unwrap();
    assert_eq!(read.messages(), row.messages());
    assert_eq!((read.size(), read.messages().len()), (5, 3));
}

#[tokio::test(start_paused = true)]
async fn rows_committed_during_a_scan_are_not_missed() {
    // More than one look brings, committed in waves while the looks are under way.
    let bench = bench().await;
    for wave in 0..50 {
        (0..40).for_each(|key| bench.add(wave * 40 + key));
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(bench.published(), 2_000);
    assert_eq!(bench.left().await, (0, 0));
    assert_eq!(bench.relay.backlog().open(), 0);
}

#[tokio::test(start_paused = true)]
async fn rows_published_by_another_process_leave_the_backlog() {
    let bench = bench().await;
    tokio::time::sleep(A_WHILE).await;
    // While it looks into the database, rows are left there; when it looks again, they have been adopted.
    bench.relay.rescan();
    let messages = vec![said(1, 1, chrono::DateTime::UNIX_EPOCH)];
    bench.relay.offer(vec![OutboxRow::fresh(Uuid::from_u128(7), messages)]);
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(bench.published(), 0);
    assert_eq!(bench.relay.backlog().open(), 0, "or the door would close for what nobody owes");
}

#[tokio::test(start_paused = true)]
async fn a_row_whose_parking_was_lost_with_the_journal_is_not_forgotten() {
    for killed in ["journal", "relay"] {
        let bench = bench().await;
        bench.broker.answers.lock().unwrap().extend([PublishOutcome::Lost, PublishOutcome::Lost]);
        bench.add(1);
        // The first row's parking waits behind a transaction that cannot end.
        tokio::task::yield_now().await;
        bench.store.fail([CommitFault::Unavailable; 3]);
        bench.add(2);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(bench.tree.restart(killed));
        tokio::time::sleep(Duration::from_secs(8)).await;
        assert_eq!(bench.left().await, (0, 0), "{killed}");
        let messages = bench.broker.messages.lock().unwrap();
        // A change that was still in the journal's mailbox is its asker's to hand in again.
        let said = messages.iter().filter(|message| {
            message.body.messages().iter().any(|m| m.order_id().0.as_u128() == 1)
        });
        assert!(said.count() >= 2, "said again after {killed} was killed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_whose_parking_takes_longer_than_its_pause_is_not_forgotten() {
    let bench = bench().await;
    bench.broker.answers.lock().unwrap().extend([PublishOutcome::Lost, PublishOutcome::Lost]);
    bench.add(1);
    // It is parked for a second, and said again, in vain; before it is parked anew, its new time has passed.
    tokio::time::sleep(Duration::from_millis(800)).await;
    bench.store.fail([CommitFault::Unavailable; 9]);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(bench.left().await, (0, 0));
    assert_eq!(bench.published(), 3);
}

#[tokio::test(start_paused = true)]
async fn parked_rows_that_nobody_answers_for_hold_up_no_others() {
    let bench = bench().await;
    bench.broker.answers.lock().unwrap().extend(vec![PublishOutcome::Lost; 300]);
    for key in 0..300 {
        bench.add(key);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(A_WHILE / 9).await;
    assert_eq!(bench.left().await, (0, 300));
    *bench.broker.silent.lock().unwrap() = true;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let unanswered = std::mem::take(&mut *bench.broker.unanswered.lock().unwrap());
    assert_eq!(unanswered.len(), 300, "more than one look brings, and the first are not confirmed");
    unanswered.into_iter().for_each(|confirm| confirm(PublishOutcome::Taken));
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(bench.left().await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_restarted_relay_counts_only_open_messages() {
    let bench = bench().await;
    *bench.broker.silent.lock().unwrap() = true;
    (0..300).for_each(|key| bench.add(key));
    tokio::time::sleep(A_WHILE).await;
    assert!(bench.relay.backlog().open() >= 300);
    assert!(bench.tree.restart("relay"));
    *bench.broker.silent.lock().unwrap() = false;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(bench.relay.backlog().open(), 0, "or the door would stay closed for ever");
    assert_eq!(bench.left().await, (0, 0));
}
