//! The gateway as it runs: handle, journal and ledger, on a store in memory and tokio's paused time.

use super::memory::GatewayTables;
use super::{GatewayHandle, NoOutboxListener, NotificationListener};
use crate::payment::PaymentGateway;
use crate::runtime::journal::{Journal, JournalHandle, JournalParts};
use crate::runtime::tree::Node;
use crate::testing::{MemoryStore, world};
use crate::traces::Tracer;
use ordermill_domain::clock::World;
use ordermill_domain::gateway::{GatewayPolicy, SimulatedGateway, Visit, VisitOutcome};
use ordermill_domain::ids::OrderId;
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::payment::{
    GatewayError, GatewayKey, GatewayPayment, GatewayRequest, Operation, Reference, Subject, Terms,
};
use ractor::Actor;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

const DUE: Money = Money { minor: 4_990, currency: Currency::USD };
const PAGE_TIME: Duration = Duration::from_secs(60);

struct Gateway {
    handle: GatewayHandle,
    world: World,
    told: Arc<Mutex<Vec<(OrderId, i64)>>>,
    _listener: NotificationListener,
    method: &'static str,
}

impl Gateway {
    async fn start(method: &'static str) -> Self {
        let world = world();
        let policy = GatewayPolicy { pages_url: "http://pages".into(), ..GatewayPolicy::default() };
        let store = MemoryStore::<GatewayTables>::default();
        let journal = JournalHandle::new(node(&world));
        let parts = JournalParts {
            tracer: Tracer::default(),
            service: Arc::new(SimulatedGateway { policy: policy.clone() }),
            store: Arc::new(store.clone()),
            relay: Arc::new(NoOutboxListener),
            world: world.clone(),
            handle: journal.clone(),
        };
        Actor::spawn(None, Journal::new(Arc::new(parts)), ()).await.unwrap();
        let handle = GatewayHandle::new(journal, Arc::new(store), policy, world.clock.clone());
        let told: Arc<Mutex<Vec<_>>> = Arc::default();
        let heard = told.clone();
        let listener: NotificationListener =
            Arc::new(move |order, minor| heard.lock().unwrap().push((order, minor)));
        handle.notify(&listener);
        Self { handle, world, told, method, _listener: listener }
    }

    async fn ask(&self, operation: Operation) -> Result<GatewayPayment, GatewayError> {
        let subject = Subject {
            key: key(),
            order_id: order(),
            due: DUE,
            method: self.method.to_owned(),
            reference: Reference::default(),
            page_ends_at: None,
        };
        self.handle.ask(GatewayRequest { subject, operation }).await
    }

    async fn create(&self) -> Result<GatewayPayment, GatewayError> {
        let at = self.world.now();
        let terms = Terms { at, expires_at: at + PAGE_TIME, refundable_only: false };
        self.ask(Operation::Create(terms)).await
    }

    async fn retrieve(&self) -> GatewayPayment {
        self.ask(Operation::Retrieve).await.unwrap()
    }

    fn told(&self) -> Vec<(OrderId, i64)> {
        self.told.lock().unwrap().clone()
    }
}

fn order() -> OrderId {
    OrderId(Uuid::from_u128(1))
}

fn key() -> GatewayKey {
    GatewayKey::of(order())
}

#[tokio::test(start_paused = true)]
async fn what_is_created_is_retrieved_and_an_unknown_key_makes_no_entry() {
    let gateway = Gateway::start("credit_card").await;
    assert_eq!(gateway.retrieve().await.captured_minor, 0);
    assert_eq!(gateway.handle.entry(key()).await.unwrap(), None);
    let paid = gateway.create().await.unwrap();
    assert_eq!(paid.captured_minor, DUE.minor);
    assert_eq!(gateway.retrieve().await, paid);
    assert_eq!(gateway.told(), [], "who asks is answered, and not told");
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_late_or_never_comes_where_the_method_plays_that() {
    let slow = Gateway::start("test_slow").await;
    let before = Instant::now();
    slow.create().await.unwrap();
    assert!(before.elapsed() >= Duration::from_secs(2));
    let silent = Gateway::start("test_timeout_charged").await;
    assert!(tokio::time::timeout(Duration::from_secs(60), silent.create()).await.is_err());
    assert_eq!(silent.retrieve().await.captured_minor, DUE.minor);
}

#[tokio::test(start_paused = true)]
async fn a_visit_pays_and_is_told_where_the_method_tells() {
    for (method, told) in
        [("test_redirect", vec![(order(), DUE.minor)]), ("test_redirect_silent", vec![])]
    {
        let gateway = Gateway::start(method).await;
        assert_eq!(gateway.handle.visit(key(), Visit::Pay).await, Ok(VisitOutcome::NoPage));
        gateway.create().await.unwrap();
        assert_eq!(gateway.handle.visit(key(), Visit::Pay).await, Ok(VisitOutcome::Paid));
        assert_eq!(gateway.told(), told);
        assert_eq!(gateway.retrieve().await.captured_minor, DUE.minor);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_ends_by_the_clock_without_being_asked() {
    let gateway = Gateway::start("test_redirect").await;
    gateway.create().await.unwrap();
    tokio::time::sleep(PAGE_TIME + Duration::from_secs(1)).await;
    let ended = gateway.retrieve().await;
    assert_eq!((ended.closed, ended.page), (true, None));
    assert_eq!(gateway.handle.visit(key(), Visit::Pay).await, Ok(VisitOutcome::Closed));
}

#[tokio::test(start_paused = true)]
async fn late_money_arrives_by_itself_and_is_told_once() {
    let gateway = Gateway::start("test_redirect_late").await;
    gateway.create().await.unwrap();
    for _ in 0..2 {
        let cancelled = gateway.ask(Operation::Cancel).await.unwrap();
        assert_eq!((cancelled.closed, cancelled.captured_minor), (true, 0));
    }
    assert_eq!(gateway.told(), []);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(gateway.told(), [(order(), DUE.minor)]);
    assert_eq!(gateway.retrieve().await.captured_minor, DUE.minor);
    assert_eq!(gateway.told().len(), 1);
}

fn node(world: &World) -> Arc<Node> {
    Node::new("part", "journal".to_owned(), &*world.clock)
}
