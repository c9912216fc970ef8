//! Views of actors: filters, pages, totals, and lifecycle events as they happen.

use crate::toy::{Adder, Bench, POISON, ask};
use ordermill_actors::order::RequestContext;
use ordermill_actors::runtime::directory::{Directory, EntitySupervisor};
use ordermill_actors::runtime::entity::Entities;
use ordermill_actors::runtime::lifecycle::{LifecycleEvent, LifecycleEventKind};
use ordermill_actors::runtime::ticket::Ticket;
use ordermill_actors::runtime::tree::{NodeView, Status, Tree, TreeQuery};
use ordermill_actors::testing::shop::{Shop, ShopSettings, ShopStores};
use ordermill_domain::testing::order_of;
use ractor::Actor;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

/// A tree of a root, a service, and adders below it.
async fn grown(bench: &Bench) -> (Tree, Directory<Entities<Adder>>) {
    let tree = Tree::new(bench.world.clock.clone());
    tree.part(None, "supervisor", "root").running();
    tree.part(Some("root"), "service", "toy").running();
    tree.part(Some("root"), "service", "other").running();
    let node = tree.part(Some("toy"), "supervisor", "adders");
    let adders = bench.adders().await;
    tree.populate("adders", Arc::new(adders.clone()));
    Actor::spawn(None, EntitySupervisor::new(adders.clone(), node), ()).await.unwrap();
    (tree, adders)
}

fn names(views: &[NodeView]) -> Vec<&str> {
    views
        .iter()
        .flat_map(|view| [vec![view.name.as_str()], names(&view.children)].concat())
        .collect()
}

fn quarantine(adders: &Directory<Entities<Adder>>, key: u32) -> impl Future<Output = ()> {
    let adders = adders.clone();
    async move {
        while !adders.is_quarantined(&key) {
            adders.ask(&key, POISON, Ticket::unobserved());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn mailboxes(views: &[NodeView]) -> usize {
    views.iter().map(|view| view.mailbox + mailboxes(&view.children)).sum()
}

#[tokio::test(start_paused = true)]
async fn an_actor_restarted_with_its_service_is_new_and_its_mailbox_empty() {
    const ROUNDS: u64 = 5;
    const A_WHILE: Duration = Duration::from_secs(60);
    let shop = Shop::open(ShopStores::default(), ShopSettings::default()).await;
    shop.stock("MUG", 1_000).await;
    let tree = shop.process.tree.clone();
    for _ in 0..ROUNDS {
        for _ in 0..50 {
            let (orders, order) = (shop.orders.clone(), order_of(&[("MUG", 1)], "credit_card"));
            tokio::spawn(async move { orders.place(order, RequestContext::default(), None).await });
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(tree.restart("order"));
        tokio::time::sleep(A_WHILE).await;
    }
    let journal = tree.actor("order/journal").unwrap();
    assert_eq!((journal.actor.status, journal.actor.restarts), (Status::Running, ROUNDS));
    assert!(journal.actor.uptime_ms < 60_000, "{} ms", journal.actor.uptime_ms);
    assert!(!journal.last_messages.is_empty());
    assert_eq!(mailboxes(&tree.view(&TreeQuery::default()).unwrap()), 0, "all is at rest");
}

#[tokio::test(start_paused = true)]
async fn thousands_are_paged_by_name_and_filtered_by_what_they_do() {
    let bench = Bench::new().await;
    let (tree, adders) = grown(&bench).await;
    for key in 0..1_000 {
        adders.ask(&key, 1, Ticket::unobserved());
    }
    quarantine(&adders, 500).await;
    quarantine(&adders, 77).await;
    let totals = tree.totals();
    assert_eq!(
        (totals.actors, totals.by_kind["adder"], totals.by_kind["service"]),
        (1_004, 1_000, 2)
    );
    assert_eq!((totals.by_status["quarantined"], totals.by_status["running"]), (2, 1_002));

    let look = TreeQuery { limit: 3, ..TreeQuery::default() };
    let all = tree.view(&look).unwrap();
    let first = ["root", "other", "toy", "adders", "adder/0", "adder/1", "adder/10"];
    assert_eq!(names(&all), first);
    let flat = tree.view(&TreeQuery { depth: 1, ..look }).unwrap();
    assert_eq!(names(&flat), ["root", "other", "toy"]);
    assert_eq!(flat[0].children[1].children_total, 1, "they are counted where they are not listed");

    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let look = TreeQuery { under: Some("adders"), after: after.as_deref(), limit: 170, ..look };
        let page = tree.view(&look).unwrap().remove(0);
        assert_eq!(page.children_total, 1_000);
        paged.extend(page.children.into_iter().map(|child| child.name));
        after = page.next_after;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged.len(), 1_000);
    assert!(paged.is_sorted());

    let ill = TreeQuery { status: Some(Status::Quarantined), ..look };
    let above = ["root", "toy", "adders", "adder/500", "adder/77"];
    assert_eq!(names(&tree.view(&ill).unwrap()), above, "with those above them, and no others");
    assert_eq!(tree.view(&ill).unwrap()[0].children[0].children[0].children_total, 2);
    let services = TreeQuery { kind: Some("service"), ..look };
    assert_eq!(names(&tree.view(&services).unwrap()), ["root", "other", "toy"]);
    assert_eq!(tree.view(&TreeQuery { kind: Some("none"), ..look }).unwrap().len(), 0);
    assert!(tree.view(&TreeQuery { under: Some("nobody"), ..look }).is_none());

    let page = tree.actor("adder/77").unwrap();
    assert_eq!((page.parent.as_deref(), page.actor.status), (Some("adders"), Status::Quarantined));
    assert_eq!(page.failures.len(), 6);
    assert!(page.failures.is_sorted_by_key(|failure| failure.at));
    assert_eq!(tree.actor("adders").unwrap().actor.children_total, 1_000);
    assert!(tree.actor("adder/1000").is_none());
}

fn heard(events: &mut Receiver<Arc<LifecycleEvent>>) -> Vec<(String, LifecycleEventKind)> {
    let mut heard = Vec::new();
    while let Ok(event) = events.try_recv() {
        heard.push((event.name.clone(), event.what));
    }
    heard
}

#[tokio::test(start_paused = true)]
async fn notable_events_are_always_sent_and_others_only_on_request() {
    let bench = Bench::new().await;
    let (tree, adders) = grown(&bench).await;
    let (mut notable, mut all) = (tree.lifecycle().notable(), tree.lifecycle().all());
    assert_eq!(ask(&adders, 1, 1).await, 1);
    assert_eq!(heard(&mut notable), [], "an entity that starts is nothing special");
    assert_eq!(heard(&mut all), [("adder/1".to_owned(), LifecycleEventKind::Started)]);
    quarantine(&adders, 1).await;
    assert!(tree.release("adder/1"));
    assert_eq!(ask(&adders, 1, 1).await, 2);
    let adder = |what| ("adder/1".to_owned(), what);
    let again = [LifecycleEventKind::Failed, LifecycleEventKind::Started].map(adder);
    let expected: Vec<_> = std::iter::repeat_n(again, 5)
        .flatten()
        .chain(
            [
                LifecycleEventKind::Failed,
                LifecycleEventKind::Quarantined,
                LifecycleEventKind::Released,
            ]
            .map(adder),
        )
        .collect();
    assert_eq!(heard(&mut notable), expected, "released, its node is a new one: it starts as any");
    heard(&mut all);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        heard(&mut all),
        [adder(LifecycleEventKind::Retired)],
        "it was told nothing for long"
    );
    assert_eq!(heard(&mut notable), []);
    assert!(tree.actor("adder/1").is_none());
    tree.part(None, "part", "part").running();
    assert_eq!(heard(&mut notable), [("part".to_owned(), LifecycleEventKind::Started)]);
}

#[tokio::test(start_paused = true)]
async fn all_starts_report_how_they_ended() {
    let bench = Bench::new().await;
    let (tree, adders) = grown(&bench).await;
    let mut all = tree.lifecycle().all();
    let told = |all: &mut _, key: u32| -> Vec<LifecycleEventKind> {
        let whose = format!("adder/{key}");
        heard(all).into_iter().filter(|(name, _)| *name == whose).map(|(_, what)| what).collect()
    };
    // Restarted while nobody needs it, it is out of memory and waits for its next message.
    assert_eq!(ask(&adders, 1, 1).await, 1);
    assert!(tree.restart("adder/1"));
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(tree.restart("adder/1"), "it is being started again already");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        told(&mut all, 1),
        [LifecycleEventKind::Started, LifecycleEventKind::Restarting, LifecycleEventKind::Retired]
    );
    assert!(adders.is_empty());

    // With their supervisor all of them end.
    for key in 1..=3 {
        assert!(ask(&adders, key, 1).await > 0);
    }
    heard(&mut all);
    Actor::spawn(
        None,
        EntitySupervisor::new(adders.clone(), tree.part(None, "supervisor", "adders")),
        (),
    )
    .await
    .unwrap();
    let stopped = (1..=3).map(|key| (format!("adder/{key}"), LifecycleEventKind::Stopped));
    let told = heard(&mut all);
    assert_eq!(
        told.into_iter()
            .filter(|(_, what)| *what == LifecycleEventKind::Stopped)
            .collect::<Vec<_>>(),
        stopped.collect::<Vec<_>>()
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_listener_learns_how_much_it_missed_and_costs_no_more_memory() {
    let bench = Bench::new().await;
    let (tree, _) = grown(&bench).await;
    let mut slow = tree.lifecycle().notable();
    let node = tree.part(None, "part", "part");
    for _ in 0..5_000 {
        node.running();
    }
    assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(5_000 - 1_024)));
    assert_eq!(heard(&mut slow).len(), 1_024);
}
