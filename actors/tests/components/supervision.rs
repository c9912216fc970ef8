//! A failed actor is restarted; one that fails too often takes its supervisor along.

use crate::toy::node;
use ordermill_actors::runtime::supervisor::{ChildSpec, Supervisor};
use ordermill_actors::runtime::tree::Tree;
use ordermill_actors::testing::world;
use ractor::{Actor, ActorProcessingErr, ActorRef, ActorStatus};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Default)]
struct Log {
    starts: AtomicU64,
    actor: Mutex<Option<ActorRef<bool>>>,
}

/// Panics when it is told `true`, fails when it is told `false`.
struct Fragile(Arc<Log>);

impl Actor for Fragile {
    type Msg = bool;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<bool>, (): ()) -> Result<(), ActorProcessingErr> {
        self.0.starts.fetch_add(1, Relaxed);
        *self.0.actor.lock().unwrap() = Some(myself);
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<bool>,
        panics: bool,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        assert!(!panics, "told to panic");
        Err("told to fail".into())
    }
}

impl Log {
    fn tell(&self, panics: bool) {
        let _ = self.actor.lock().unwrap().as_ref().unwrap().cast(panics);
    }
}

#[tokio::test(start_paused = true)]
async fn parts_start_again_and_neighbours_live_on() {
    let world = world();
    let tree = Tree::new(world.clock.clone());
    let (first, second) = (Arc::new(Log::default()), Arc::new(Log::default()));
    let parts = [&first, &second].map(|log| {
        let log = log.clone();
        let name = format!("part/{:p}", Arc::as_ptr(&log));
        ChildSpec::new(tree.part(None, "part", &name), move || Fragile(log.clone()))
    });
    let supervisor = Supervisor::new(node(&world, "supervisor"), tree, Arc::new(Vec::from(parts)));
    let (supervisor, _) = Actor::spawn(None, supervisor, ()).await.unwrap();
    for (round, panics) in [true, false, true].into_iter().enumerate() {
        first.tell(panics);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(first.starts.load(Relaxed), round as u64 + 2);
    }
    assert_eq!(second.starts.load(Relaxed), 1);
    assert_eq!(supervisor.get_status(), ActorStatus::Running);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_fails_too_often_fails_its_supervisor() {
    let world = world();
    let tree = Tree::new(world.clock.clone());
    let log = Arc::new(Log::default());
    let its = log.clone();
    let part = ChildSpec::new(tree.part(None, "part", "part"), move || Fragile(its.clone()));
    let supervisor = Supervisor::new(node(&world, "supervisor"), tree, Arc::new(vec![part]));
    let (supervisor, ended) = Actor::spawn(None, supervisor, ()).await.unwrap();
    for _ in 0..9 {
        log.tell(true);
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
    assert_eq!(supervisor.get_status(), ActorStatus::Running, "once in a while is no failure");
    let failing = async {
        while supervisor.get_status() == ActorStatus::Running {
            log.tell(true);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), failing).await.expect("it failed with its part");
    ended.await.unwrap();
}
