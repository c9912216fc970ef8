//! Builds the components of one service: its journal, its relay, its consumers, and what else it has.

use super::address::Address;
use super::consumer::{Consumer, ConsumerCounters, ConsumerParts, Handler};
use super::consumer_handle::ConsumerHandle;
use super::consumer_watchdog::{ConsumerWatchdog, WatchdogParts};
use super::dead_letters::DeadLetterService;
use super::directory::{Directory, EntityKind, EntitySupervisor};
use super::journal::{Journal, JournalHandle, JournalHealth, JournalParts};
use super::lag::{Lag, LagMeter, LagMeterParts};
use super::relay::{Relay, RelayBacklog, RelayHandle, RelayParts};
use super::retention::{self, Retained};
use super::supervisor::{ChildSpec, Supervisor};
use super::tree::{Node, Tree};
use crate::metrics::Metrics;
use crate::ports::{Broker, Database, Rpc};
use crate::traces::Tracer;
use ordermill_domain::clock::World;
use ordermill_domain::messages::{Queue, QueueKind};
use ordermill_domain::service::Service;
use std::sync::Arc;

/// The name of the process's own supervisor: the root of the tree.
pub const ROOT: &str = "ordermill";

/// Deliveries with a consumer at a time, each a message or a bundle of 64 at most. Enough of the first that
/// a journal's batches are full while the next are decided, and few enough of the second: 16,384 messages of
/// about 1 KiB.
const PREFETCH: usize = 256;

/// The same where whole bundles are one change: 4,096 events.
const PREFETCH_FEED: usize = 64;

/// The same where each delivery waits for another server.
const PREFETCH_CHANNEL: usize = 16;

const fn prefetch(queue: Queue) -> usize {
    match queue.kind() {
        QueueKind::Priority => PREFETCH_CHANNEL,
        QueueKind::Quorum if queue.is_fed() => PREFETCH_FEED,
        QueueKind::Quorum => PREFETCH,
    }
}

/// The parts that all services of a process share.
pub struct Process {
    /// Time and ids.
    pub world: World,
    /// The tree of its actors.
    pub tree: Tree,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// What its parts count and time.
    pub metrics: Metrics,
    /// Where spans are recorded.
    pub tracer: Tracer,
    /// Every journal's health.
    pub journals: Vec<Arc<JournalHealth>>,
    /// Every relay's flow.
    pub backlogs: Vec<Arc<RelayBacklog>>,
    /// Those whose backlog counts for admission.
    pub admission_backlogs: Vec<Arc<RelayBacklog>>,
    /// How far behind it all is.
    pub lag: Arc<Lag>,
    /// Every consumer, to be closed first when the process ends.
    pub consumers: Vec<ConsumerHandle>,
    /// Questions and answers between processes, where there are any.
    pub rpc: Option<Arc<dyn Rpc>>,
    /// The dead letters of every service that consumes anything.
    pub dead_letters: Vec<DeadLetterService>,
    /// Further data of its services with a retention.
    pub kept: Vec<Arc<dyn Retained>>,
}

/// A service under construction.
pub struct ServiceBuilder<'a, S: Service> {
    process: &'a mut Process,
    name: &'static str,
    /// Its journal.
    pub journal: JournalHandle<S>,
    dead_letters: Option<DeadLetterService>,
    children: Vec<ChildSpec>,
}

impl Process {
    /// A process without services yet.
    pub fn new(world: World, broker: Arc<dyn Broker>) -> Self {
        let tree = Tree::new(world.clock.clone());
        tree.part(None, "supervisor", ROOT);
        Self {
            world,
            tree,
            broker,
            metrics: Metrics::default(),
            tracer: Tracer::default(),
            journals: Vec::new(),
            backlogs: Vec::new(),
            admission_backlogs: Vec::new(),
            lag: Arc::default(),
            consumers: Vec::new(),
            rpc: None,
            dead_letters: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// The supervisor of everything: what runs when it is spawned.
    pub fn supervisor(&self, mut children: Vec<ChildSpec>) -> Supervisor {
        children.push(self.group("upkeep", vec![self.meter(), self.watchdog(), self.retention()]));
        let node = self.tree.part(None, "supervisor", ROOT);
        Supervisor::of_services(node, self.tree.clone(), Arc::new(children))
    }

    /// Parts under a supervisor of their own, beside the services.
    pub fn group(&self, name: &str, children: Vec<ChildSpec>) -> ChildSpec {
        let node = self.tree.part(Some(ROOT), "supervisor", name);
        supervised(node, self.tree.clone(), children)
    }

    /// Measures how far behind everything is.
    fn meter(&self) -> ChildSpec {
        let node = self.tree.part(Some("upkeep"), "meter", "upkeep/meter");
        let parts = Arc::new(LagMeterParts {
            lag: self.lag.clone(),
            journals: self.journals.clone(),
            admission_backlogs: self.admission_backlogs.clone(),
            backlogs: self.backlogs.clone(),
            consumers: self.consumers.clone(),
            broker: self.broker.clone(),
            node: node.clone(),
        });
        ChildSpec::new(node, move || LagMeter(parts.clone()))
    }

    /// Notices consumers that get nothing.
    fn watchdog(&self) -> ChildSpec {
        let node = self.tree.part(Some("upkeep"), "watch", "upkeep/watch");
        let parts = Arc::new(WatchdogParts {
            consumers: self.consumers.clone(),
            broker: self.broker.clone(),
            tree: self.tree.clone(),
            node: node.clone(),
        });
        ChildSpec::new(node, move || ConsumerWatchdog(parts.clone()))
    }

    /// Forgets in time what is kept for a while only.
    fn retention(&self) -> ChildSpec {
        let node = self.tree.part(Some("upkeep"), "retention", "upkeep/retention");
        let dead_letters = self.dead_letters.iter().map(|letters| Arc::new(letters.clone()) as _);
        retention::child_spec(node, self.kept.iter().cloned().chain(dead_letters).collect())
    }

    /// Begins a service: its journal over `store`, and its relay over the same database's outbox.
    pub fn service<S: Service>(
        &mut self,
        name: &'static str,
        service: Arc<S>,
        store: Arc<dyn Database<S>>,
    ) -> ServiceBuilder<'_, S> {
        let node = self.tree.part(Some(name), "journal", &format!("{name}/journal"));
        self.tree.part(Some(ROOT), "service", name);
        let journal = JournalHandle::measured(node.clone(), self.metrics.journal.of(name));
        let relay_node = self.tree.part(Some(name), "relay", &format!("{name}/relay"));
        let relay = RelayHandle::new(relay_node.clone(), name, &self.metrics.outbox);
        self.journals.push(journal.health().clone());
        self.backlogs.push(relay.backlog().clone());
        self.admission_backlogs.push(relay.backlog().clone());
        let dead_letters = DeadLetterService::new(
            store.clone(),
            store.clone(),
            journal.clone(),
            self.world.clone(),
        );
        let journal_parts = Arc::new(JournalParts {
            service,
            store: store.clone(),
            relay: Arc::new(relay.clone()),
            world: self.world.clone(),
            tracer: self.tracer.clone(),
            handle: journal.clone(),
        });
        let relay_parts = Arc::new(RelayParts {
            outbox: store,
            broker: self.broker.clone(),
            journal: journal.clone(),
            world: self.world.clone(),
            tracer: self.tracer.clone(),
            handle: relay,
        });
        let children = vec![
            ChildSpec::new(node, move || Journal::new(journal_parts.clone())),
            ChildSpec::new(relay_node, move || Relay::new(relay_parts.clone())),
        ];
        ServiceBuilder { process: self, name, journal, dead_letters: Some(dead_letters), children }
    }
}

impl<S: Service> ServiceBuilder<'_, S> {
    /// The tree that its parts stand in.
    pub fn tree(&self) -> &Tree {
        &self.process.tree
    }

    /// Time and ids.
    pub fn world(&self) -> &World {
        &self.process.world
    }

    /// What the parts count and time.
    pub fn metrics(&self) -> &Metrics {
        &self.process.metrics
    }

    /// Where spans are recorded.
    pub fn tracer(&self) -> &Tracer {
        &self.process.tracer
    }

    /// Its relay's messages do not count for admission.
    pub fn exclude_from_admission(&mut self) {
        self.process.admission_backlogs.pop();
    }

    /// Puts entities under it.
    pub fn entities<E: EntityKind>(&mut self, plural: &'static str, directory: &Directory<E>) {
        let node = self.process.tree.part(Some(self.name), "supervisor", plural);
        self.process.tree.populate(plural, Arc::new(directory.clone()));
        let (directory, its) = (directory.clone(), node.clone());
        self.children.push(ChildSpec::new(node, move || {
            EntitySupervisor::new(directory.clone(), its.clone())
        }));
    }

    /// Has something forgotten in time.
    pub fn keeps(&mut self, kept: Arc<dyn Retained>) {
        self.process.kept.push(kept);
    }

    /// Adds a part of its own.
    pub fn child(&mut self, child: ChildSpec) {
        self.children.push(child);
    }

    /// Consumes every queue of the service, those of both flows: the flow is the order's, not the process's.
    pub fn consume_all(&mut self, handler: Arc<dyn Handler>) {
        for queue in Queue::ALL.iter().filter(|queue| queue.service() == S::NAME) {
            self.consume(*queue, handler.clone());
        }
    }

    /// Consumes a queue.
    pub fn consume(&mut self, queue: Queue, handler: Arc<dyn Handler>) {
        // A service without a consumer has no dead letters.
        self.process.dead_letters.extend(self.dead_letters.take());
        let node = self.process.tree.part(Some(self.name), "consumer", queue.as_str());
        let address = Address::new(node.clone());
        let metrics = self.process.metrics.consumer.of(queue);
        let (prefetch, traffic) = (prefetch(queue), Arc::new(ConsumerCounters::new(metrics)));
        self.process.consumers.push(ConsumerHandle {
            queue,
            prefetch,
            address: address.clone(),
            traffic: traffic.clone(),
        });
        let parts = Arc::new(ConsumerParts {
            queue,
            prefetch,
            broker: self.process.broker.clone(),
            handler,
            dead_letters: Arc::new(self.journal.clone()),
            world: self.process.world.clone(),
            tracer: self.process.tracer.clone(),
            address,
            traffic,
        });
        self.children.push(ChildSpec::new(node, move || Consumer::new(parts.clone())));
    }

    /// The whole, as a part of the process.
    pub fn finish(self) -> ChildSpec {
        let node = self.process.tree.part(Some(ROOT), "service", self.name);
        supervised(node, self.process.tree.clone(), self.children)
    }
}

/// A supervisor over parts, as a part itself.
fn supervised(node: Arc<Node>, tree: Tree, children: Vec<ChildSpec>) -> ChildSpec {
    let (its, children) = (node.clone(), Arc::new(children));
    ChildSpec::new(node, move || Supervisor::new(its.clone(), tree.clone(), children.clone()))
}
