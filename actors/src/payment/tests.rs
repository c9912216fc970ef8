//! The payment as it runs: consumer's handler, actors, journals and gateway, on stores in memory and
//! tokio's paused time.

use crate::gateway::memory::GatewayTables;
use crate::gateway::{GatewayHandle, GatewayReads, NoOutboxListener};
use crate::payment::memory::PaymentTables;
use crate::payment::*;
use crate::ports::Store;
use crate::runtime::consumer::Handler;
use crate::runtime::directory::{Directory, EntitySupervisor};
use crate::runtime::entity::Entities;
use crate::runtime::journal::{Journal, JournalHandle, JournalParts, OutboxListener};
use crate::runtime::supervisor::Supervisor;
use crate::runtime::ticket::{Ticket, TicketOutcome};
use crate::runtime::tree::{Node, Tree};
use crate::testing::{CommitFault, MemoryStore, world};
use crate::traces::Tracer;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::clock::World;
use ordermill_domain::gateway::{EntryStatus, GatewayPolicy, SimulatedGateway};
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{
    Flow, InventoryMessage, Kind, Message, Origin, Payload, PaymentMessage, PaymentProcess, Plan,
};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::outbox::{Content, OutboxRow};
use ordermill_domain::payment::*;
use ordermill_domain::service::Service;
use ractor::{Actor, ActorCell};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

/// The messages of the payment service, in the order of commits.
#[derive(Clone, Default)]
struct PublishedMessages(Arc<Mutex<Vec<Arc<Message>>>>);

impl OutboxListener for PublishedMessages {
    fn offer(&self, rows: Vec<OutboxRow>) {
        for row in rows {
            let Content::Fresh(messages) = row.content else { panic!("nothing is parked here") };
            self.0.lock().unwrap().extend(messages);
        }
    }
    fn rescan(&self) {}
}

/// The parts that outlive a process.
#[derive(Clone, Default)]
struct Disk {
    payments: MemoryStore<PaymentTables>,
    ledger: MemoryStore<GatewayTables>,
    said: PublishedMessages,
}

/// A process.
struct Process {
    world: World,
    disk: Disk,
    payments: Payments,
    actors: Vec<ActorCell>,
}

impl Process {
    async fn start(disk: &Disk, gateway: GatewayPolicy) -> Self {
        let (world, disk) = (world(), disk.clone());
        let (ledger, one) = journal(
            SimulatedGateway { policy: gateway.clone() },
            Arc::new(disk.ledger.clone()),
            Arc::new(NoOutboxListener),
            &world,
        )
        .await;
        let (journal, two) = journal(
            PaymentService,
            Arc::new(disk.payments.clone()),
            Arc::new(disk.said.clone()),
            &world,
        )
        .await;
        let reads = Arc::new(disk.payments.clone());
        let rules = PaymentRules {
            tracer: Tracer::default(),
            reads: reads.clone(),
            gateways: Gateways::default().with(
                Provider::Simulated,
                Arc::new(GatewayHandle::new(
                    ledger,
                    Arc::new(disk.ledger.clone()),
                    gateway,
                    world.clock.clone(),
                )),
            ),
            policy: PaymentPolicy::default(),
            world: world.clone(),
        };
        let entities = Entities::new(Arc::new(rules), journal);
        let payments = Directory::new(entities, world.clone(), Duration::from_secs(60));
        let entity_supervisor = EntitySupervisor::new(payments.clone(), node("payments", &world));
        let (three, _) = Actor::spawn(None, entity_supervisor, ()).await.unwrap();
        let sweeper =
            Sweeper { reads, payments: payments.clone(), world: world.clone(), alone: true };
        let part = sweeper.child_spec(node("sweeper", &world), Duration::from_secs(30));
        let tree = Tree::new(world.clock.clone());
        let root = Supervisor::new(node("root", &world), tree, Arc::new(vec![part]));
        let (four, _) = Actor::spawn(None, root, ()).await.unwrap();
        let actors = vec![one, two, three.get_cell(), four.get_cell()];
        Self { world, disk, payments, actors }
    }

    /// Dies at once.
    fn kill(self) {
        self.actors.iter().for_each(ActorCell::kill);
    }

    /// Hands in a command, and waits until it is committed.
    async fn command(&self, order: OrderId, payload: Payload) {
        let origin = Origin {
            order_id: order,
            flow: Flow::default(),
            plan: Plan::default(),
            request_id: Some("r-1".into()),
            traceparent: None,
            order: None,
        };
        let command = Message::new(&origin, payload, 0, self.world.now());
        let (ticket, settled) = Ticket::channel();
        CommandHandler::new(self.payments.clone()).handle(command, ticket);
        let settled = settled.await.unwrap();
        assert!(matches!(settled, TicketOutcome::Done(())), "{settled:?}");
    }

    async fn pay(&self, order: OrderId, method: &str) {
        let total = Money { minor: 4_990, currency: Currency::USD };
        let (method, customer_id) = (method.to_owned(), "c".to_owned());
        let command = Payload::Payment(PaymentMessage::Process(PaymentProcess {
            total,
            method,
            customer_id,
            placed_at: Timestamp::UNIX_EPOCH,
        }));
        self.command(order, command).await;
    }

    async fn view(&self, order: OrderId) -> Option<PaymentView> {
        self.disk.payments.payment(order).await.unwrap().map(|row| row.view())
    }

    fn said(&self, order: OrderId) -> Vec<Kind> {
        let said = self.disk.said.0.lock().unwrap();
        said.iter().filter(|m| m.order_id() == order).map(|m| m.kind()).collect()
    }

    /// No money is held that is not an approved payment's, and nobody paid twice.
    async fn check_books(&self, approved: i64) {
        let totals = self.disk.ledger.totals().await.unwrap();
        assert_eq!(totals.captures, totals.orders);
        let sums = totals.sums.get(&Currency::USD).copied().unwrap_or_default();
        assert_eq!(sums.captured_minor - sums.refunded_minor, approved * 4_990);
    }
}

fn node(name: &str, world: &World) -> Arc<Node> {
    Node::new("part", name.to_owned(), &*world.clock)
}

async fn journal<S: Service>(
    service: S,
    store: Arc<dyn Store<S>>,
    relay: Arc<dyn OutboxListener>,
    world: &World,
) -> (JournalHandle<S>, ActorCell) {
    let handle = JournalHandle::new(node("journal", world));
    let (service, world) = (Arc::new(service), world.clone());
    let parts = JournalParts {
        tracer: Tracer::default(),
        service,
        store,
        relay,
        world,
        handle: handle.clone(),
    };
    let (actor, _) = Actor::spawn(None, Journal::new(Arc::new(parts)), ()).await.unwrap();
    (handle, actor.get_cell())
}

fn order(n: u128) -> OrderId {
    OrderId(Uuid::from_u128(n))
}

async fn a_while(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn every_method_plays_its_part() {
    let process = Process::start(&Disk::default(), GatewayPolicy::default()).await;
    let scenario = [
        ("credit_card", PaymentStatus::Approved, 1),
        ("test_declined", PaymentStatus::Failed, 1),
        ("test_timeout_charged", PaymentStatus::Approved, 3),
        ("test_timeout_uncharged", PaymentStatus::Approved, 3),
        ("test_slow", PaymentStatus::Approved, 1),
        ("test_refund_fails", PaymentStatus::Approved, 1),
    ];
    for (n, (method, _, _)) in scenario.iter().enumerate() {
        process.pay(order(n as u128), method).await;
    }
    a_while(1).await;
    assert_eq!(process.payments.len(), 3, "those live that the gateway has not answered");
    a_while(30).await;
    for (n, (method, status, attempts)) in scenario.into_iter().enumerate() {
        let view = process.view(order(n as u128)).await.unwrap();
        assert_eq!((view.status, view.attempts), (status, attempts), "{method}");
        let said = match status {
            PaymentStatus::Approved => Kind::PaymentApproved,
            _ => Kind::PaymentFailed,
        };
        assert_eq!(process.said(order(n as u128)), [said], "{method}");
    }
    process.check_books(5).await;
    assert_eq!(process.payments.len(), 0, "and leave memory when it has answered");
}

#[tokio::test(start_paused = true)]
async fn reversed_is_published_only_after_the_gateway_has_refunded() {
    let process = Process::start(&Disk::default(), GatewayPolicy::default()).await;
    process.pay(order(1), "test_refund_fails").await;
    a_while(1).await;
    process.command(order(1), Payload::Payment(PaymentMessage::Refund)).await;
    a_while(1).await;
    let view = process.view(order(1)).await.unwrap();
    assert_eq!((view.status, view.refunded), (PaymentStatus::Reversing, None));
    assert_eq!(process.said(order(1)), [Kind::PaymentApproved]);
    a_while(10).await;
    assert_eq!(process.said(order(1)), [Kind::PaymentApproved, Kind::PaymentReversed]);
    let entry = process.disk.ledger.entry(GatewayKey::of(order(1))).await.unwrap().unwrap();
    assert_eq!((entry.status, entry.refund_attempts), (EntryStatus::Refunded, 6));
    process.check_books(0).await;
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_voided_and_a_late_command_hears_of_the_undoing() {
    let process = Process::start(&Disk::default(), GatewayPolicy::default()).await;
    for (n, method) in [(1, "test_timeout_charged"), (2, "test_timeout_uncharged")] {
        process.pay(order(n), method).await;
        process.command(order(n), Payload::Payment(PaymentMessage::Refund)).await;
        a_while(1).await;
        assert_eq!(process.said(order(n)), [Kind::PaymentReversed]);
        process.pay(order(n), method).await;
        a_while(1).await;
        assert_eq!(process.said(order(n)), [Kind::PaymentReversed; 2]);
    }
    process.command(order(3), Payload::Payment(PaymentMessage::Refund)).await;
    process.pay(order(3), "credit_card").await;
    a_while(60).await;
    assert_eq!(process.said(order(3)), [Kind::PaymentReversed; 2]);
    assert_eq!(process.disk.ledger.entry(GatewayKey::of(order(3))).await.unwrap(), None);
    process.check_books(0).await;
}

#[tokio::test(start_paused = true)]
async fn open_payments_of_a_dead_process_are_resumed_at_once() {
    let disk = Disk::default();
    let process = Process::start(&disk, GatewayPolicy::default()).await;
    for n in 0..1_200 {
        process.pay(order(n), if n % 2 == 0 { "test_timeout_charged" } else { "test_slow" }).await;
    }
    process.command(order(0), Payload::Payment(PaymentMessage::Refund)).await;
    process.kill();
    let process = Process::start(&disk, GatewayPolicy::default()).await;
    a_while(20).await;
    for n in 1..1_200 {
        assert_eq!(process.said(order(n)), [Kind::PaymentApproved], "{n}");
    }
    assert_eq!(process.said(order(0)), [Kind::PaymentReversed]);
    process.check_books(1_199).await;
    assert_eq!(process.payments.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn commits_that_fail_or_that_nobody_knows_of_take_no_money_twice() {
    use CommitFault::{Unavailable, UnknownLost, UnknownWritten};
    for (n, fault) in [Unavailable, UnknownLost, UnknownWritten].into_iter().enumerate() {
        for nth in 0..4 {
            let process = Process::start(&Disk::default(), GatewayPolicy::default()).await;
            let order = order(n as u128);
            // The payment's own commits are: the intent, the approval, the undoing, the reversal.
            process.disk.ledger.fail([fault]);
            for commit in 0..4 {
                if commit == nth {
                    process.disk.payments.fail([fault]);
                }
                match commit {
                    0 => process.pay(order, "credit_card").await,
                    2 => process.command(order, Payload::Payment(PaymentMessage::Refund)).await,
                    _ => a_while(60).await,
                }
            }
            a_while(60).await;
            let view = process.view(order).await.unwrap();
            assert_eq!(view.status, PaymentStatus::Reversed, "{fault:?} at {nth}");
            assert_eq!(process.disk.ledger.totals().await.unwrap().captures, 1);
            process.check_books(0).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_no_payment_command_is_a_dead_letter() {
    let process = Process::start(&Disk::default(), GatewayPolicy::default()).await;
    let origin = Origin {
        order_id: order(1),
        flow: Flow::default(),
        plan: Plan::default(),
        request_id: None,
        traceparent: None,
        order: None,
    };
    let message = Message::new(
        &origin,
        Payload::Inventory(InventoryMessage::Release),
        0,
        process.world.now(),
    );
    let (ticket, settled) = Ticket::channel();
    CommandHandler::new(process.payments.clone()).handle(message, ticket);
    assert!(matches!(settled.await.unwrap(), TicketOutcome::Dead(_)));
}
