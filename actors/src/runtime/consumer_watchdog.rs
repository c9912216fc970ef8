//! The watchdog: notices a consumer that gets nothing although messages wait.
//!
//! A subscription can die without a word: a connection that is open and dead, a broker that has forgotten
//! a consumer. Nothing fails then, and nothing is done. So the broker is asked what waits, and a consumer
//! that has room and has been handed nothing for too long is started again, which subscribes afresh.

use super::consumer_handle::ConsumerHandle;
use super::tree::{Node, Status, Tree};
use crate::ports::{Broker, Depth};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often the consumers are checked.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// Messages that wait so long for a consumer that has room will not come. Longer than a broker's own
/// doubts last (35 s), which mend a single channel and cost less.
pub const SILENT_AFTER: Duration = Duration::from_secs(60);

/// The broker says within this time how full its queues are, or it is not known.
const DEPTHS_WITHIN: Duration = Duration::from_secs(5);

/// The parts of a watchdog.
pub struct WatchdogParts {
    /// The consumers of this process.
    pub consumers: Vec<ConsumerHandle>,
    /// Is asked what waits.
    pub broker: Arc<dyn Broker>,
    /// Where a consumer is ended, to be started again.
    pub tree: Tree,
    /// Its entry in the tree.
    pub node: Arc<Node>,
}

/// The actor. One a process.
pub struct ConsumerWatchdog(pub Arc<WatchdogParts>);

/// The message that a watchdog sends itself.
#[derive(Clone, Copy, Debug)]
pub struct Check;

/// An observation of a consumer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Observation {
    received: u64,
    /// Since when messages wait and it has been handed none.
    silent_since: Option<Instant>,
}

impl Actor for ConsumerWatchdog {
    type Msg = Check;
    /// One for each consumer.
    type State = Vec<Observation>;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Check>,
        (): (),
    ) -> Result<Vec<Observation>, ActorProcessingErr> {
        self.0.node.running();
        myself.send_after(CHECK_EVERY, || Check);
        Ok(vec![Observation::default(); self.0.consumers.len()])
    }

    async fn handle(
        &self,
        myself: ActorRef<Check>,
        Check: Check,
        seen: &mut Vec<Observation>,
    ) -> Result<(), ActorProcessingErr> {
        self.0.node.queued();
        self.0.node.begins("look");
        let depths = tokio::time::timeout(DEPTHS_WITHIN, self.0.broker.depths()).await;
        // Where the broker is away nobody knows what waits, and nobody is to blame.
        let depths = depths.ok().and_then(Result::ok).unwrap_or_default();
        for (consumer, seen) in self.0.consumers.iter().zip(seen) {
            self.check(consumer, seen, &depths);
        }
        myself.send_after(CHECK_EVERY, || Check);
        self.0.node.handled();
        Ok(())
    }
}

impl ConsumerWatchdog {
    fn check(&self, consumer: &ConsumerHandle, seen: &mut Observation, depths: &[Depth]) {
        let (queue, received) = (consumer.queue(), consumer.received());
        let ready = depths.iter().find(|depth| depth.queue == queue).map_or(0, |depth| depth.ready);
        let should_receive =
            ready > 0 && consumer.has_room() && consumer.node().status() == Status::Running;
        if !should_receive || received != seen.received {
            *seen = Observation { received, silent_since: None };
            return;
        }
        let since = *seen.silent_since.get_or_insert_with(Instant::now);
        if since.elapsed() < SILENT_AFTER {
            return;
        }
        seen.silent_since = None;
        tracing::error!(
            %queue, ready, silent_for = ?since.elapsed(),
            "consumer receives no messages although messages are ready; restarting it"
        );
        self.0.tree.restart_silent(queue.as_str());
    }
}
