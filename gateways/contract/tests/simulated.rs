//! The simulated gateway, as the contract asks for it: its handle over a ledger in memory, in tokio's paused time.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]

use async_trait::async_trait;
use ordermill_actors::gateway::memory::GatewayTables;
use ordermill_actors::gateway::{GatewayHandle, NoOutboxListener};
use ordermill_actors::payment::PaymentGateway;
use ordermill_actors::runtime::journal::{Journal, JournalHandle, JournalParts};
use ordermill_actors::runtime::tree::Node;
use ordermill_actors::testing::{MemoryStore, world};
use ordermill_actors::traces::Tracer;
use ordermill_domain::clock::{Timestamp, World};
use ordermill_domain::gateway::{GatewayPolicy, SimulatedGateway, Visit, VisitOutcome};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::payment::{GatewayKey, Page};
use ordermill_gateway_contract::{Act, Harness};
use ractor::Actor;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The gateway with its time.
struct Simulated {
    gateway: GatewayHandle,
    world: World,
}

#[async_trait]
impl Harness for Simulated {
    fn gateway(&self) -> &dyn PaymentGateway {
        &self.gateway
    }

    fn due(&self) -> Money {
        Money { minor: 4_990, currency: Currency::USD }
    }

    fn method(&self) -> &'static str {
        "test_redirect"
    }

    /// `test_refund_by_hand` takes the money at once, without a page.
    fn method_without_refunds(&self) -> Option<&'static str> {
        None
    }

    async fn act(&self, page: &Page, _: &str, act: Act) -> bool {
        let key: Uuid = page.url.rsplit('/').next().unwrap().parse().unwrap();
        let (visit, done) = match act {
            Act::Pay => (Visit::Pay, VisitOutcome::Paid),
            Act::BeDenied => (Visit::Decline, VisitOutcome::Denied),
            Act::Choose => (Visit::Choose, VisitOutcome::Chosen),
            Act::Leave => (Visit::Leave, VisitOutcome::Abandoned),
        };
        self.gateway.visit(GatewayKey(key), visit).await.unwrap() == done
    }

    fn now(&self) -> Timestamp {
        self.world.now()
    }

    async fn advance(&self, by: Duration) {
        tokio::time::advance(by).await;
    }
}

/// A gateway without payments.
async fn simulated() -> Simulated {
    let world = world();
    let policy = GatewayPolicy { pages_url: "http://pages".into(), ..GatewayPolicy::default() };
    let store = MemoryStore::<GatewayTables>::default();
    let node = Node::new("part", "gateway/journal".to_owned(), &*world.clock);
    let journal = JournalHandle::new(node);
    let parts = JournalParts {
        tracer: Tracer::default(),
        service: Arc::new(SimulatedGateway { policy: policy.clone() }),
        store: Arc::new(store.clone()),
        relay: Arc::new(NoOutboxListener),
        world: world.clone(),
        handle: journal.clone(),
    };
    Actor::spawn(None, Journal::new(Arc::new(parts)), ()).await.unwrap();
    let gateway = GatewayHandle::new(journal, Arc::new(store), policy, world.clock.clone());
    Simulated { gateway, world }
}

ordermill_gateway_contract::contract!(
    #[tokio::test(start_paused = true)]
    crate::simulated
);
