//! Wires the stations of one service: its journal, its relay, its consumers, and what else it has.

use super::address::Address;
use super::consumer::{self, Consumer, ConsumerParts, Handler, Traffic};
use super::dead_letters::DeadLetterOffice;
use super::directory::{Directory, Keeper, Species};
use super::journal::{Gauge, Journal, JournalHandle, JournalParts};
use super::lag::{Lag, Meter, MeterParts};
use super::relay::{Flow, Relay, RelayHandle, RelayParts};
use super::retention::{self, Kept};
use super::service::Service;
use super::silence::{Watch, WatchParts};
use super::supervisor::{Part, Supervisor};
use super::tree::{Node, Tree};
use crate::clock::World;
use crate::messages::{Queue, QueueKind};
use crate::ports::{Broker, Database, Rpc};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

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

/// What all services of a process share.
pub struct Process {
    /// Time and ids.
    pub world: World,
    /// What lives here.
    pub tree: Tree,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// Every journal's gauge.
    pub gauges: Vec<Arc<Gauge>>,
    /// Every relay's flow.
    pub flows: Vec<Arc<Flow>>,
    /// Those whose backlog counts at the door.
    pub counted: Vec<Arc<Flow>>,
    /// How far behind it all is.
    pub lag: Arc<Lag>,
    /// Every consumer, to be closed first when the process ends.
    pub intakes: Vec<Intake>,
    /// Questions and answers between processes, where there are any.
    pub rpc: Option<Arc<dyn Rpc>>,
    /// The dead letters of every service that consumes anything.
    pub dead_letters: Vec<DeadLetterOffice>,
    /// What else its services keep for a while only.
    pub kept: Vec<Arc<dyn Kept>>,
}

/// A consumer, as the process's end sees it.
#[derive(Clone)]
pub struct Intake {
    queue: Queue,
    prefetch: usize,
    address: Address<consumer::Msg>,
    traffic: Arc<Traffic>,
}

impl Intake {
    /// The queue.
    pub fn queue(&self) -> Queue {
        self.queue
    }

    /// Deliveries that were settled so far.
    pub fn settled(&self) -> u64 {
        self.traffic.settled.load(Relaxed)
    }

    /// Messages in them.
    pub fn messages(&self) -> u64 {
        self.traffic.messages.load(Relaxed)
    }

    /// Deliveries that the broker has handed to it so far.
    pub fn received(&self) -> u64 {
        self.traffic.received.load(Relaxed)
    }

    /// True when the broker could hand more to it.
    pub fn has_room(&self) -> bool {
        let in_hand = self.node().depth() + self.open();
        !self.traffic.closed.load(Relaxed) && in_hand < self.prefetch
    }

    /// Its entry in the tree.
    pub fn node(&self) -> &Arc<Node> {
        self.address.node()
    }

    /// Takes no more.
    pub fn close(&self) {
        self.traffic.closed.store(true, Relaxed);
        self.address.send(consumer::Msg::Close);
    }

    /// Deliveries that are not settled yet.
    pub fn open(&self) -> usize {
        self.traffic.open.load(Relaxed)
    }
}

/// A service under construction.
pub struct Stations<'a, S: Service> {
    process: &'a mut Process,
    name: &'static str,
    /// Its journal.
    pub journal: JournalHandle<S>,
    dead_letters: Option<DeadLetterOffice>,
    parts: Vec<Part>,
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
            gauges: Vec::new(),
            flows: Vec::new(),
            counted: Vec::new(),
            lag: Arc::default(),
            intakes: Vec::new(),
            rpc: None,
            dead_letters: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// The supervisor of everything: what runs when it is spawned.
    pub fn supervisor(&self, mut parts: Vec<Part>) -> Supervisor {
        parts.push(self.group("upkeep", vec![self.meter(), self.watch(), self.retention()]));
        let node = self.tree.part(None, "supervisor", ROOT);
        Supervisor::of_services(node, self.tree.clone(), Arc::new(parts))
    }

    /// Parts under a supervisor of their own, beside the services.
    pub fn group(&self, name: &str, parts: Vec<Part>) -> Part {
        let node = self.tree.part(Some(ROOT), "supervisor", name);
        supervised(node, self.tree.clone(), parts)
    }

    /// Measures how far behind everything is.
    fn meter(&self) -> Part {
        let node = self.tree.part(Some("upkeep"), "meter", "upkeep/meter");
        let parts = Arc::new(MeterParts {
            lag: self.lag.clone(),
            gauges: self.gauges.clone(),
            counted: self.counted.clone(),
            flows: self.flows.clone(),
            intakes: self.intakes.clone(),
            broker: self.broker.clone(),
            node: node.clone(),
        });
        Part::new(node, move || Meter(parts.clone()))
    }

    /// Notices consumers that get nothing.
    fn watch(&self) -> Part {
        let node = self.tree.part(Some("upkeep"), "watch", "upkeep/watch");
        let parts = Arc::new(WatchParts {
            intakes: self.intakes.clone(),
            broker: self.broker.clone(),
            tree: self.tree.clone(),
            node: node.clone(),
        });
        Part::new(node, move || Watch(parts.clone()))
    }

    /// Forgets in time what is kept for a while only.
    fn retention(&self) -> Part {
        let node = self.tree.part(Some("upkeep"), "retention", "upkeep/retention");
        let offices = self.dead_letters.iter().map(|office| Arc::new(office.clone()) as _);
        retention::part(node, self.kept.iter().cloned().chain(offices).collect())
    }

    /// Begins a service: its journal over `store`, and its relay over the same database's outbox.
    pub fn service<S: Service>(
        &mut self,
        name: &'static str,
        service: Arc<S>,
        store: Arc<dyn Database<S>>,
    ) -> Stations<'_, S> {
        let node = self.tree.part(Some(name), "journal", &format!("{name}/journal"));
        self.tree.part(Some(ROOT), "service", name);
        let journal = JournalHandle::new(node.clone());
        let relay_node = self.tree.part(Some(name), "relay", &format!("{name}/relay"));
        let relay = RelayHandle::new(relay_node.clone());
        self.gauges.push(journal.gauge().clone());
        self.flows.push(relay.flow().clone());
        self.counted.push(relay.flow().clone());
        let dead_letters = DeadLetterOffice::new(
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
            handle: journal.clone(),
        });
        let relay_parts = Arc::new(RelayParts {
            outbox: store,
            broker: self.broker.clone(),
            journal: journal.clone(),
            world: self.world.clone(),
            handle: relay,
        });
        let parts = vec![
            Part::new(node, move || Journal::new(journal_parts.clone())),
            Part::new(relay_node, move || Relay::new(relay_parts.clone())),
        ];
        Stations { process: self, name, journal, dead_letters: Some(dead_letters), parts }
    }
}

impl<S: Service> Stations<'_, S> {
    /// The tree that its parts stand in.
    pub fn tree(&self) -> &Tree {
        &self.process.tree
    }

    /// Time and ids.
    pub fn world(&self) -> &World {
        &self.process.world
    }

    /// Its relay's messages do not count at the door.
    pub fn aside(&mut self) {
        self.process.counted.pop();
    }

    /// Puts entities under it.
    pub fn entities<E: Species>(&mut self, plural: &'static str, directory: &Directory<E>) {
        let node = self.process.tree.part(Some(self.name), "supervisor", plural);
        self.process.tree.populate(plural, Arc::new(directory.clone()));
        let (directory, its) = (directory.clone(), node.clone());
        self.parts.push(Part::new(node, move || Keeper::new(directory.clone(), its.clone())));
    }

    /// Has something forgotten in time.
    pub fn keeps(&mut self, kept: Arc<dyn Kept>) {
        self.process.kept.push(kept);
    }

    /// Adds a part of its own.
    pub fn part(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// Consumes a queue.
    pub fn consume(&mut self, queue: Queue, handler: Arc<dyn Handler>) {
        // Who consumes nothing has no dead letters.
        self.process.dead_letters.extend(self.dead_letters.take());
        let node = self.process.tree.part(Some(self.name), "consumer", queue.as_str());
        let address = Address::new(node.clone());
        let (prefetch, traffic) = (prefetch(queue), Arc::<Traffic>::default());
        self.process.intakes.push(Intake {
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
            cemetery: Arc::new(self.journal.clone()),
            world: self.process.world.clone(),
            address,
            traffic,
        });
        self.parts.push(Part::new(node, move || Consumer::new(parts.clone())));
    }

    /// The whole, as a part of the process.
    pub fn finish(self) -> Part {
        let node = self.process.tree.part(Some(ROOT), "service", self.name);
        supervised(node, self.process.tree.clone(), self.parts)
    }
}

/// A supervisor over parts, as a part itself.
fn supervised(node: Arc<Node>, tree: Tree, parts: Vec<Part>) -> Part {
    let (its, parts) = (node.clone(), Arc::new(parts));
    Part::new(node, move || Supervisor::new(its.clone(), tree.clone(), parts.clone()))
}
