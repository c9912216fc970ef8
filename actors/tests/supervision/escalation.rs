//! A part that fails too often takes its service along, a service the process; whichever way it fails.

use ordermill_actors::broker::LocalBroker;
use ordermill_actors::runtime::service_builder::{Process, ROOT};
use ordermill_actors::runtime::supervisor::{ChildSpec, Supervisor};
use ordermill_actors::runtime::tree::{Node, Status, Tree};
use ordermill_actors::testing::world;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, ActorStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How a part fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fails {
    Never,
    StartError,
    StartPanic,
    NeverStarts,
    Error,
    Panic,
    /// Ends itself, as nobody has told it to.
    Stops,
}

struct Fragile {
    fails: Fails,
    node: Arc<Node>,
    starts: Arc<AtomicU64>,
}

impl Actor for Fragile {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        self.starts.fetch_add(1, Relaxed);
        match self.fails {
            Fails::StartError => return Err("cannot start".into()),
            Fails::NeverStarts => std::future::pending().await,
            Fails::StartPanic => panic!("panics at its start"),
            Fails::Never | Fails::Error | Fails::Panic | Fails::Stops => {}
        }
        self.node.running();
        if self.fails != Fails::Never {
            myself.cast(())?;
        }
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<()>,
        (): (),
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match self.fails {
            Fails::Panic => panic!("panics over a message"),
            Fails::Stops => myself.stop(None),
            _ => return Err("fails over a message".into()),
        }
        Ok(())
    }
}

/// A process of two services; a part of the first fails in this way, always.
struct Bench {
    tree: Tree,
    root: ActorCell,
    ended: JoinHandle<()>,
    /// Of the part, and of its neighbour in the same service, and of the other service's.
    starts: [Arc<AtomicU64>; 3],
}

async fn process(fails: Fails) -> Bench {
    let process = Process::new(world(), Arc::new(LocalBroker::default()));
    let tree = process.tree.clone();
    let starts: [Arc<AtomicU64>; 3] = Default::default();
    let part = |service: &str, name: &str, fails, starts: &Arc<AtomicU64>| {
        let node = tree.part(Some(service), "part", name);
        let (its, starts) = (node.clone(), starts.clone());
        ChildSpec::new(node, move || Fragile { fails, node: its.clone(), starts: starts.clone() })
    };
    let service = |name: &str, parts: Vec<ChildSpec>| {
        let (node, tree, parts) =
            (tree.part(Some(ROOT), "service", name), tree.clone(), Arc::new(parts));
        let its = node.clone();
        ChildSpec::new(node, move || Supervisor::new(its.clone(), tree.clone(), parts.clone()))
    };
    let ill = vec![
        part("ill", "ill/neighbour", Fails::Never, &starts[1]),
        part("ill", "ill/fragile", fails, &starts[0]),
    ];
    let well = vec![part("well", "well/part", Fails::Never, &starts[2])];
    let services = vec![service("ill", ill), service("well", well)];
    let (root, ended) = Actor::spawn(None, process.supervisor(services), ()).await.unwrap();
    Bench { tree, root: root.get_cell(), ended, starts }
}

#[tokio::test(start_paused = true)]
async fn a_child_that_always_fails_ends_the_process() {
    for fails in [
        Fails::StartError,
        Fails::StartPanic,
        Fails::NeverStarts,
        Fails::Error,
        Fails::Panic,
        Fails::Stops,
    ] {
        let bench = process(fails).await;
        tokio::time::timeout(Duration::from_secs(15 * 60), bench.ended)
            .await
            .unwrap_or_else(|_| panic!("{fails:?}: the process goes on failing for ever"))
            .unwrap();
        let starts = bench.starts.map(|count| count.load(Relaxed));
        assert_eq!(starts[0], 4 * 9, "{fails:?}: nine times in each of four lives of its service");
        assert_eq!(starts[1], 4, "{fails:?}: its neighbour started with its service");
        assert_eq!(starts[2], 1, "{fails:?}: the other service has noticed nothing");
        let part = bench.tree.actor("ill/fragile").unwrap();
        assert!(part.actor.restarts >= 35 && part.actor.last_error.is_some(), "{part:?}");
        assert_eq!(part.failures.len(), 10, "{fails:?}: bounded");
    }
}

#[tokio::test(start_paused = true)]
async fn the_process_lives_on_while_a_part_fails_now_and_then() {
    let bench = process(Fails::Never).await;
    for _ in 0..100 {
        assert!(bench.tree.restart("ill/fragile"), "an operator's wish");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(bench.starts[0].load(Relaxed), 101, "what is asked for is no failure of its own");
    assert_eq!(bench.starts[1].load(Relaxed), 1);
    assert_eq!(bench.root.get_status(), ActorStatus::Running);
    let page = bench.tree.actor("ill/fragile").unwrap();
    assert_eq!((page.actor.status, page.actor.restarts), (Status::Running, 100));
    assert_eq!(page.actor.last_error.as_deref(), Some("restarted by an operator"));
}

#[tokio::test(start_paused = true)]
async fn a_service_is_restarted_whole_and_the_root_is_not() {
    let bench = process(Fails::Never).await;
    assert!(bench.tree.restart("ill"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.starts.each_ref().map(|count| count.load(Relaxed)), [2, 2, 1]);
    assert!(!bench.tree.restart(ROOT), "nobody would start it again");
}
