//! The toy: counters with versions. Adding may be told to panic, and says `inventory.released` to prove
//! that it was committed.

use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::runtime::directory::{Directory, EntitySupervisor};
use ordermill_actors::runtime::entity::{Entities, EntityDecision, EntityRules};
use ordermill_actors::runtime::journal::{Journal, JournalHandle, JournalParts, OutboxListener};
use ordermill_actors::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_actors::runtime::tree::Node;
use ordermill_actors::testing::{MemoryStore, MemoryTables, world};
use ordermill_actors::traces::Tracer;
use ordermill_domain::clock::{Timestamp, World};
use ordermill_domain::ids::{OrderId, ServiceName};
use ordermill_domain::messages::{Flow, InventoryMessage, Message, Origin, Payload, Plan};
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::service::{BatchDecision, Outcome, Service, Versions};
use ractor::{Actor, ActorCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

pub struct Toy;

/// A counter whose row cannot be read.
pub const ILLEGIBLE: u32 = 404_404;

/// A counter that nothing can be written of: settling a change of it panics.
pub const CURSED: u32 = 13_013;

/// A counter's next value, decided on a version.
pub struct Change {
    pub key: u32,
    pub expected: u64,
    pub next: Option<Counter>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    pub version: u64,
    pub sum: i64,
}

impl Service for Toy {
    const NAME: ServiceName = ServiceName::Order;
    type Change = Change;
    type Keys = Vec<u32>;
    type Rows = HashMap<u32, u64>;
    type Writes = BTreeMap<u32, Counter>;
    type Answer = ();

    fn keys(changes: &[Change]) -> Vec<u32> {
        changes.iter().map(|change| change.key).collect()
    }

    fn decide_batch(
        &self,
        rows: Self::Rows,
        changes: &[Change],
        at: Timestamp,
    ) -> BatchDecision<Self::Answer, Self::Writes> {
        let mut versions = Versions::new(rows);
        let (mut writes, mut messages) = (BTreeMap::new(), Vec::new());
        let outcomes = changes
            .iter()
            .map(|change| {
                assert_ne!(change.key, CURSED, "cursed");
                let next = change.next.map_or(change.expected, |next| next.version);
                if !versions.advance(&change.key, change.expected, next) {
                    return Outcome::Refused;
                }
                if let Some(next) = change.next {
                    writes.insert(change.key, next);
                    messages.push(said(change.key, next.version, at));
                }
                Outcome::Done(())
            })
            .collect();
        BatchDecision { writes, outcomes, messages }
    }
}

pub fn said(key: u32, version: u64, at: Timestamp) -> Arc<Message> {
    let origin = Origin {
        order_id: OrderId(Uuid::from_u128(u128::from(key))),
        flow: Flow::Orchestrated,
        plan: Plan::ReserveFirst,
        request_id: None,
        traceparent: None,
        order: None,
    };
    let number = u32::try_from(version).unwrap();
    Message::new(&origin, Payload::Inventory(InventoryMessage::Released), number, at)
}

#[derive(Default)]
pub struct Counters(pub BTreeMap<u32, Counter>);

impl MemoryTables<Toy> for Counters {
    fn load(&self, keys: &Vec<u32>) -> HashMap<u32, u64> {
        keys.iter().filter_map(|key| Some((*key, self.0.get(key)?.version))).collect()
    }

    fn write(&mut self, writes: &BTreeMap<u32, Counter>, _at: Timestamp) {
        self.0.extend(writes);
    }
}

/// Keeps what was offered.
#[derive(Default)]
pub struct RecordingListener {
    pub rows: Mutex<Vec<OutboxRow>>,
    pub rescans: AtomicU64,
}

impl OutboxListener for RecordingListener {
    fn offer(&self, rows: Vec<OutboxRow>) {
        self.rows.lock().unwrap().extend(rows);
    }

    fn rescan(&self) {
        self.rescans.fetch_add(1, Relaxed);
    }
}

/// A running journal over a store in memory.
pub struct Bench {
    pub world: World,
    pub store: MemoryStore<Counters>,
    pub offered: Arc<RecordingListener>,
    pub journal: JournalHandle<Toy>,
    pub loads: Arc<AtomicU64>,
    parts: Arc<JournalParts<Toy>>,
    actor: ActorCell,
}

pub fn node(world: &World, name: &str) -> Arc<Node> {
    Node::new("test", name.to_owned(), &*world.clock)
}

impl Bench {
    pub async fn new() -> Self {
        let world = world();
        let (store, offered) = (MemoryStore::default(), Arc::new(RecordingListener::default()));
        let journal = JournalHandle::new(node(&world, "journal"));
        let parts = Arc::new(JournalParts {
            tracer: Tracer::default(),
            service: Arc::new(Toy),
            store: Arc::new(store.clone()),
            relay: offered.clone(),
            world: world.clone(),
            handle: journal.clone(),
        });
        let actor = spawn(&parts).await;
        Self { world, store, offered, journal, loads: Arc::default(), parts, actor }
    }

    /// Kills the journal, whatever it is doing, and starts it again.
    pub async fn restart(&mut self) {
        self.actor.kill();
        self.actor = spawn(&self.parts).await;
    }

    pub fn counter(&self, key: u32) -> Counter {
        self.store.with(|tables| tables.0.get(&key).copied().unwrap_or_default())
    }

    /// A directory of adders over this journal.
    pub async fn adders(&self) -> Directory<Entities<Adder>> {
        let adder = Adder { store: self.store.clone(), loads: self.loads.clone() };
        let kind = Entities::new(Arc::new(adder), self.journal.clone());
        let directory = Directory::new(kind, self.world.clone(), Duration::from_secs(30));
        let entity_supervisor =
            EntitySupervisor::new(directory.clone(), node(&self.world, "adders"));
        Actor::spawn(None, entity_supervisor, ()).await.unwrap();
        directory
    }
}

async fn spawn(parts: &Arc<JournalParts<Toy>>) -> ActorCell {
    let (actor, _) = Actor::spawn(None, Journal::new(parts.clone()), ()).await.unwrap();
    actor.get_cell()
}

/// A counter as an entity: adds what it is told, answers with the sum.
pub struct Adder {
    store: MemoryStore<Counters>,
    loads: Arc<AtomicU64>,
}

/// The assumed state of an adder at its first message.
pub const OPENING: i64 = 1_000;

/// The number on which an adder panics.
pub const POISON: i64 = 666;

#[async_trait]
impl EntityRules for Adder {
    type Service = Toy;
    type Key = u32;
    type State = Counter;
    type Input = i64;
    type Reply = i64;
    type Effect = ();
    const KIND: &'static str = "adder";

    fn name_of(_: &i64) -> &'static str {
        "add"
    }

    fn initial_state(input: &i64) -> Option<Counter> {
        (*input == OPENING).then(Counter::default)
    }

    async fn load(&self, key: &u32) -> Result<Counter, ReadError> {
        if *key == ILLEGIBLE {
            return Err(ReadError::Unreadable("it is no counter".to_owned()));
        }
        self.loads.fetch_add(1, Relaxed);
        Ok(self.store.with(|tables| tables.0.get(key).copied().unwrap_or_default()))
    }

    fn decide(&self, key: &u32, state: &mut Counter, input: &i64) -> EntityDecision<Self> {
        assert_ne!(*input, POISON, "poisoned");
        if *input == 0 {
            return EntityDecision { change: None, reply: state.sum, effects: vec![] };
        }
        let expected = state.version;
        *state = Counter { version: expected + 1, sum: state.sum + input };
        let change = Change { key: *key, expected, next: Some(*state) };
        EntityDecision { change: Some(change), reply: state.sum, effects: vec![] }
    }

    fn nothing(&self, key: &u32, state: &Counter) -> Change {
        Change { key: *key, expected: state.version, next: None }
    }

    fn answer(reply: i64, (): ()) -> i64 {
        reply
    }

    fn perform(&self, _: &u32, (): (), _: &Directory<Entities<Self>>) {}

    fn at_rest(&self, _: &Counter) -> bool {
        false
    }
}

/// Asks until somebody decides, as a consumer would.
pub async fn ask(adders: &Directory<Entities<Adder>>, key: u32, add: i64) -> i64 {
    loop {
        let (ticket, receiver) = Ticket::channel();
        adders.ask(&key, add, ticket);
        match receiver.await.unwrap() {
            TicketOutcome::Done(sum) => return sum,
            TicketOutcome::Abandoned => tokio::time::sleep(Duration::from_millis(20)).await,
            other => panic!("{other:?}"),
        }
    }
}
