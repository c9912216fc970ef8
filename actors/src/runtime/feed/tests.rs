//! Feeds on a journal whose database fails as it is told to.

use super::*;
use crate::audit::{AuditMemory, AuditService};
use crate::ids::OrderId;
use crate::messages::{Feed, Flow, Origin, Payload, Plan};
use crate::ports::Store;
use crate::runtime::journal::{Journal, JournalParts, Published};
use crate::runtime::outbox::OutboxRow;
use crate::runtime::tree::Node;
use crate::testing::{CommitFault, MemoryStore, world};
use ractor::Actor;
use uuid::Uuid;

/// Says nothing to anybody.
struct Silent;

impl Published for Silent {
    fn offer(&self, _: Vec<OutboxRow>) {}
    fn rescan(&self) {}
}

/// A running journal over a store.
pub(crate) async fn journal<S: Service>(service: S, store: impl Store<S>) -> JournalHandle<S> {
    let world = world();
    let handle = JournalHandle::new(Node::new("journal", "journal".to_owned(), &*world.clock));
    let parts = JournalParts {
        service: Arc::new(service),
        store: Arc::new(store),
        relay: Arc::new(Silent),
        world,
        handle: handle.clone(),
    };
    Actor::spawn(None, Journal::new(Arc::new(parts)), ()).await.unwrap();
    handle
}

fn feed() -> Body {
    let event = |n| {
        let (flow, plan) = (Flow::Orchestrated, Plan::ReserveFirst);
        let order_id = OrderId(Uuid::from_u128(n));
        let origin =
            Origin { order_id, flow, plan, request_id: None, traceparent: None, order: None };
        Message::new(&origin, Payload::InventoryReleased, 0, world().now())
    };
    Body::Feed(Arc::new(Feed {
        id: Uuid::nil(),
        events: (0..3).map(event).collect(),
        unreadable: Vec::new(),
    }))
}

async fn handled(faults: &[CommitFault]) -> (Settled<()>, MemoryStore<AuditMemory>) {
    let store = MemoryStore::<AuditMemory>::default();
    store.fail(faults.iter().copied());
    let journal = journal(AuditService, store.clone()).await;
    let (ticket, settled) = Ticket::channel();
    FeedHandler::new(Queue::AuditEvents, journal, world()).handle(feed(), ticket);
    (settled.await.unwrap(), store)
}

fn kept(store: &MemoryStore<AuditMemory>) -> usize {
    store.with(|table| table.entries.len())
}

#[tokio::test(start_paused = true)]
async fn a_feed_is_one_commit() {
    let (settled, store) = handled(&[]).await;
    assert!(matches!(settled, Settled::Done(())), "{settled:?}");
    assert_eq!((kept(&store), store.commits()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn only_the_bad_events_of_a_feed_are_given_up() {
    let (settled, store) = handled(&[CommitFault::Data, CommitFault::Data]).await;
    assert!(matches!(settled, Settled::Done(())), "{settled:?}");
    assert_eq!(kept(&store), 2);
    let letters = store.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].order_id, Some(Uuid::from_u128(0)));
    assert!(letters[0].body.contains("inventory.released"));
}

#[tokio::test(start_paused = true)]
async fn a_feed_of_which_nobody_knows_comes_again() {
    let (settled, _) = handled(&[CommitFault::UnknownWritten]).await;
    assert!(matches!(settled, Settled::Abandoned), "{settled:?}");
    let (settled, store) = handled(&[CommitFault::Data, CommitFault::UnknownLost]).await;
    assert!(matches!(settled, Settled::Abandoned), "{settled:?}");
    assert_eq!(kept(&store), 2);
}
