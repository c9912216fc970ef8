//! Events on a journal whose database fails as it is told to.

use super::*;
use crate::audit::AuditMemory;
use crate::ports::Store;
use crate::runtime::journal::{Journal, JournalParts, OutboxListener};
use crate::runtime::tree::Node;
use crate::testing::{CommitFault, MemoryStore, world};
use crate::traces::Tracer;
use ordermill_domain::audit::AuditService;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Flow, InventoryMessage, Origin, Payload, Plan};
use ordermill_domain::outbox::OutboxRow;
use ractor::Actor;
use uuid::Uuid;

/// Says nothing to anybody.
struct Silent;

impl OutboxListener for Silent {
    fn offer(&self, _: Vec<OutboxRow>) {}
    fn rescan(&self) {}
}

/// A running journal over a store.
pub(crate) async fn journal<S: Service>(service: S, store: impl Store<S>) -> JournalHandle<S> {
    let world = world();
    let handle = JournalHandle::new(Node::new("journal", "journal".to_owned(), &*world.clock));
    let parts = JournalParts {
        tracer: Tracer::default(),
        service: Arc::new(service),
        store: Arc::new(store),
        relay: Arc::new(Silent),
        world,
        handle: handle.clone(),
    };
    Actor::spawn(None, Journal::new(Arc::new(parts)), ()).await.unwrap();
    handle
}

fn events() -> Vec<Arc<Message>> {
    let event = |n| {
        let origin =
            Origin::new(OrderId(Uuid::from_u128(n)), Flow::Orchestrated, Plan::ReserveFirst);
        Message::new(&origin, Payload::Inventory(InventoryMessage::Released), 0, world().now())
    };
    (0..3).map(event).collect()
}

async fn handled(faults: &[CommitFault]) -> (Vec<TicketOutcome<()>>, MemoryStore<AuditMemory>) {
    let store = MemoryStore::<AuditMemory>::default();
    store.fail(faults.iter().copied());
    let journal = journal(AuditService, store.clone()).await;
    let (tickets, settled): (Vec<_>, Vec<_>) = (0..3).map(|_| Ticket::channel()).unzip();
    FeedHandler::new(journal).handle_all(events().into_iter().zip(tickets).collect());
    let mut how = Vec::new();
    for settled in settled {
        how.push(settled.await.unwrap());
    }
    (how, store)
}

fn kept(store: &MemoryStore<AuditMemory>) -> usize {
    store.with(|table| table.entries.len())
}

#[tokio::test(start_paused = true)]
async fn events_delivered_together_are_one_commit() {
    let (settled, store) = handled(&[]).await;
    assert!(matches!(
        settled[..],
        [TicketOutcome::Done(()), TicketOutcome::Done(()), TicketOutcome::Done(())]
    ));
    assert_eq!((kept(&store), store.commits()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn only_the_bad_events_are_given_up() {
    let (settled, store) = handled(&[CommitFault::Data, CommitFault::Data]).await;
    assert!(
        matches!(
            settled[..],
            [TicketOutcome::Dead(_), TicketOutcome::Done(()), TicketOutcome::Done(())]
        ),
        "{settled:?}"
    );
    assert_eq!(kept(&store), 2);
}

#[tokio::test(start_paused = true)]
async fn an_event_with_an_unknown_commit_is_redelivered() {
    let (settled, _) = handled(&[CommitFault::UnknownWritten]).await;
    assert!(
        matches!(
            settled[..],
            [TicketOutcome::Abandoned, TicketOutcome::Abandoned, TicketOutcome::Abandoned]
        ),
        "{settled:?}"
    );
    let (settled, store) = handled(&[CommitFault::Data, CommitFault::UnknownLost]).await;
    assert!(
        matches!(
            settled[..],
            [TicketOutcome::Abandoned, TicketOutcome::Done(()), TicketOutcome::Done(())]
        ),
        "{settled:?}"
    );
    assert_eq!(kept(&store), 2);
}
