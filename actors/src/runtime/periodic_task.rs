//! A routine: work that is done again and again, as a supervised part. A panic in it is its failure, and
//! it starts again; work that hangs is done by nobody else meanwhile.

use super::supervisor::ChildSpec;
use super::tree::Node;
use futures::future::BoxFuture;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

type Work = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// The actor.
pub struct PeriodicTask {
    node: Arc<Node>,
    every: Duration,
    work: Work,
}

impl PeriodicTask {
    /// A part that works when it starts, and again so long after each time.
    pub fn child_spec<F: Future<Output = ()> + Send + 'static>(
        node: Arc<Node>,
        every: Duration,
        work: impl Fn() -> F + Send + Sync + 'static,
    ) -> ChildSpec {
        let (its, work): (_, Work) = (node.clone(), Arc::new(move || Box::pin(work())));
        ChildSpec::new(node, move || Self { node: its.clone(), every, work: work.clone() })
    }
}

/// The message of a periodic task to itself: run again.
#[derive(Clone, Copy, Debug)]
pub struct RunAgain;

impl Actor for PeriodicTask {
    type Msg = RunAgain;
    type State = ();
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<RunAgain>,
        (): (),
    ) -> Result<(), ActorProcessingErr> {
        self.node.running();
        myself.cast(RunAgain)?;
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<RunAgain>,
        RunAgain: RunAgain,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        self.node.queued();
        self.node.begins("again");
        (self.work)().await;
        self.node.handled();
        myself.send_after(self.every, || RunAgain);
        Ok(())
    }
}
