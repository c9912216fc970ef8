//! An entity that keeps failing is left alone; its neighbours notice nothing; an operator releases it.

use crate::toy::{Adder, Bench, ILLEGIBLE, POISON, ask, node};
use ordermill_actors::runtime::directory::{
    Directory, EntityKind, EntitySupervisor, SpawnArguments, Spawned,
};
use ordermill_actors::runtime::entity::Entities;
use ordermill_actors::runtime::quarantine::{RESTART_WINDOW, RESTARTS_MAX};
use ordermill_actors::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_actors::runtime::tree::{HandlingOutcome, Population, Status, Tree};
use ordermill_actors::testing::world;
use ractor::{Actor, ActorProcessingErr, ActorRef, ActorRuntime, SpawnErr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

type Adders = Directory<Entities<Adder>>;

async fn told(adders: &Adders, key: u32, add: i64) -> TicketOutcome<i64> {
    let (ticket, receiver) = Ticket::channel();
    adders.ask(&key, add, ticket);
    receiver.await.unwrap()
}

/// Tells it what it panics on until it has failed so often.
async fn fails(adders: &Adders, key: u32, times: usize) {
    let mut failed = 0;
    while failed < times {
        match told(adders, key, POISON).await {
            TicketOutcome::Retry(_) => failed += 1,
            TicketOutcome::Abandoned => tokio::time::sleep(Duration::from_millis(50)).await,
            other => panic!("{other:?}"),
        }
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
}

fn status(adders: &Adders, key: u32) -> Option<Status> {
    adders.find(&format!("adder/{key}")).map(|node| node.status())
}

#[tokio::test(start_paused = true)]
async fn an_entity_that_keeps_failing_is_quarantined_and_refuses_messages() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    assert_eq!(ask(&adders, 1, 10).await, 10);
    assert_eq!(ask(&adders, 2, 10).await, 10);
    fails(&adders, 1, RESTARTS_MAX).await;
    assert_eq!(status(&adders, 1), Some(Status::Restarting));
    assert_eq!(ask(&adders, 1, 5).await, 15, "it is started again from the store");

    fails(&adders, 1, 1).await;
    assert_eq!(status(&adders, 1), Some(Status::Quarantined));
    let commits = bench.store.commits();
    for _ in 0..100 {
        let TicketOutcome::Retry(cause) = told(&adders, 1, 1).await else { panic!("not refused") };
        assert!(cause.contains("adder/1 is quarantined") && cause.contains("poisoned"), "{cause}");
        ask(&adders, 2, 1).await;
    }
    assert_eq!(bench.counter(2).sum, 110);
    assert_eq!(bench.counter(1).sum, 15, "nobody has looked at it");
    assert!(bench.store.commits() > commits, "its neighbour works on");

    // It is not forgotten, however long nobody asks for it.
    tokio::time::sleep(RESTART_WINDOW * 100).await;
    assert!(matches!(told(&adders, 1, 1).await, TicketOutcome::Retry(_)));
    assert!(adders.is_quarantined(&1) && !adders.is_quarantined(&2));
    assert!(!adders.restart("adder/1"), "there is nothing to restart");
    assert!(!adders.release("adder/2") && !adders.release("adder/3"));

    assert!(adders.release("adder/1"));
    assert_eq!(ask(&adders, 1, 1).await, 16, "released, it starts afresh from the store");
    assert_eq!(status(&adders, 1), Some(Status::Running));
    fails(&adders, 1, RESTARTS_MAX).await;
    assert!(!adders.is_quarantined(&1), "its failures are forgiven");
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_entity_refuses_requests_and_is_quarantined() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    for tries in 1..=RESTARTS_MAX + 1 {
        assert!(!adders.is_quarantined(&ILLEGIBLE), "after {tries} tries");
        let TicketOutcome::Retry(cause) = told(&adders, ILLEGIBLE, 1).await else {
            panic!("not told")
        };
        assert!(cause.contains("it is no counter"), "{cause}");
        assert_eq!(ask(&adders, 2, 1).await, tries as i64, "its neighbour works on");
        tokio::time::sleep(RESTART_WINDOW / 10).await;
    }
    assert!(adders.is_quarantined(&ILLEGIBLE));
}

#[tokio::test(start_paused = true)]
async fn occasional_failures_and_operator_restarts_do_not_quarantine() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    for round in 1..30 {
        fails(&adders, 1, 1).await;
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(ask(&adders, 1, 1).await, round);
        assert_eq!(ask(&adders, 2, 1).await, round);
        assert!(adders.restart("adder/2"));
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    let node = adders.find("adder/2").unwrap();
    assert_eq!(node.last_error().as_deref(), Some("restarted by an operator"));
}

#[tokio::test(start_paused = true)]
async fn an_entity_that_leaves_memory_between_failures_is_still_quarantined() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    for round in 1..=2 {
        fails(&adders, 1, RESTARTS_MAX / 2).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(ask(&adders, 1, 1).await, round, "it works on what is good");
        tokio::time::sleep(Duration::from_secs(40)).await;
        assert_eq!(status(&adders, 1), Some(Status::Stopped), "it has left memory");
    }
    fails(&adders, 1, 2).await;
    assert!(adders.is_quarantined(&1));
    assert_eq!(adders.find("adder/1").unwrap().failures().len(), RESTARTS_MAX + 1);

    fails(&adders, 2, 1).await;
    tokio::time::sleep(RESTART_WINDOW * 2).await;
    assert!(adders.find("adder/2").is_none(), "what was long ago is forgotten");
}

#[tokio::test(start_paused = true)]
async fn quarantine_outlives_the_supervisor() {
    let bench = Bench::new().await;
    let tree = Tree::new(bench.world.clock.clone());
    let adders = bench.adders().await;
    fails(&adders, 1, RESTARTS_MAX + 1).await;
    let entity_supervisor =
        EntitySupervisor::new(adders.clone(), tree.part(None, "supervisor", "adders"));
    Actor::spawn(None, entity_supervisor, ()).await.unwrap();
    assert!(matches!(told(&adders, 1, 1).await, TicketOutcome::Retry(_)));
    assert_eq!(ask(&adders, 2, 1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_message_that_it_failed_on_is_the_last_that_is_remembered() {
    let bench = Bench::new().await;
    let adders = bench.adders().await;
    assert_eq!(ask(&adders, 1, 10).await, 10);
    fails(&adders, 1, 1).await;
    let node = adders.find("adder/1").unwrap();
    let last = node.last_messages();
    assert_eq!((last[0].message, last[0].how), ("add", HandlingOutcome::Handled));
    assert_eq!(last.last().map(|last| last.how), Some(HandlingOutcome::Failed), "{last:?}");
    assert_eq!(node.failures().len(), 1);
}

/// An entity that fails before it runs, as often as it is told; then it answers.
struct FailingAtStart {
    left: AtomicU64,
    panics: bool,
}

struct Child(SpawnArguments<FailingAtStart>);

impl EntityKind for FailingAtStart {
    type Key = u32;
    type Msg = Ticket<()>;
    const KIND: &'static str = "child";

    fn spawn(&self, arguments: SpawnArguments<Self>) -> Result<Spawned<Ticket<()>>, SpawnErr> {
        let supervisor = arguments.supervisor.clone();
        ActorRuntime::spawn_linked_instant(None, Child(arguments), (), supervisor)
    }

    fn retire() -> Ticket<()> {
        Ticket::unobserved()
    }

    fn refuse(message: Ticket<()>, cause: String) {
        message.complete(TicketOutcome::Retry(cause));
    }
}

impl Actor for Child {
    type Msg = Ticket<()>;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Ticket<()>>, (): ()) -> Result<(), ActorProcessingErr> {
        let FailingAtStart { left, panics } = self.0.directory.kind();
        tokio::time::sleep(Duration::from_millis(20)).await;
        if left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            assert!(!panics, "panics before it runs");
            return Err("fails before it runs".into());
        }
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Ticket<()>>,
        ticket: Ticket<()>,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        ticket.complete(TicketOutcome::Done(()));
        self.0.node.handled();
        Ok(())
    }
}

async fn children(left: u64, panics: bool) -> Directory<FailingAtStart> {
    let world = world();
    let kind = FailingAtStart { left: AtomicU64::new(left), panics };
    let children = Directory::new(kind, world.clone(), Duration::from_secs(30));
    let entity_supervisor = EntitySupervisor::new(children.clone(), node(&world, "children"));
    Actor::spawn(None, entity_supervisor, ()).await.unwrap();
    children
}

/// Asks until it is decided, as a consumer would.
async fn born(children: &Directory<FailingAtStart>) -> TicketOutcome<()> {
    for _ in 0..1_000 {
        let (ticket, receiver) = Ticket::channel();
        children.send(&7, ticket);
        match receiver.await.unwrap() {
            TicketOutcome::Abandoned => tokio::time::sleep(Duration::from_millis(50)).await,
            settled => return settled,
        }
    }
    panic!("nobody has noticed that it does not live");
}

#[tokio::test(start_paused = true)]
async fn an_entity_that_fails_at_start_is_restarted() {
    for panics in [false, true] {
        let children = children(3, panics).await;
        assert!(matches!(born(&children).await, TicketOutcome::Done(())));
        let node = children.find("child/7").unwrap();
        assert_eq!(node.restarts(), 3);
        assert!(node.last_error().unwrap().contains("before it runs"), "{node:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_entity_that_never_starts_is_quarantined() {
    for panics in [false, true] {
        let children = children(u64::MAX, panics).await;
        let TicketOutcome::Retry(cause) = born(&children).await else { panic!("not refused") };
        assert!(cause.contains("child/7 is quarantined"), "{cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_entity_killed_at_start_is_restarted() {
    let children = children(0, false).await;
    let (ticket, receiver) = Ticket::channel();
    children.send(&7, ticket);
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(children.restart("child/7"));
    assert!(matches!(receiver.await.unwrap(), TicketOutcome::Abandoned));
    assert!(matches!(born(&children).await, TicketOutcome::Done(())));
}
