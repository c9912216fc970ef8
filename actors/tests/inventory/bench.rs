//! An inventory service without its consumer and relay, on a store in memory whose commits can be
//! held up.

use async_trait::async_trait;
use ordermill_actors::inventory::{
    CommandHandler, IDLE_AFTER, InventoryReads, InventoryTables, SkuKind, Skus, Stock,
};
use ordermill_actors::ports::{CommitError, Committed, ReadError, Store};
use ordermill_actors::runtime::consumer::Handler;
use ordermill_actors::runtime::directory::{Directory, EntitySupervisor};
use ordermill_actors::runtime::journal::{Journal, JournalHandle, JournalParts, OutboxListener};
use ordermill_actors::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_actors::runtime::tree::Node;
use ordermill_actors::testing::{MemoryStore, world};
use ordermill_actors::traces::Tracer;
use ordermill_domain::clock::{Timestamp, World};
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{
    Inventory, MovementRow, Quantity, Reservation, ReservationRow, StockRow,
};
use ordermill_domain::messages::{InventoryMessage, Message, Origin, Payload, StockLine};
use ordermill_domain::outbox::{Content, OutboxRow};
use ordermill_domain::service::Batch;
use ractor::{Actor, ActorRef};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use uuid::Uuid;

pub type Tables = MemoryStore<InventoryTables>;

/// A store whose commits pass one by one while the gate is shut.
struct GatedStore {
    tables: Tables,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Store<Inventory> for GatedStore {
    async fn commit(&self, batch: &Batch<Inventory>) -> Result<Committed<Inventory>, CommitError> {
        let permit = self.gate.acquire().await.expect("the gate is never closed for good");
        if self.gate.available_permits() < OPEN / 2 {
            permit.forget();
        }
        self.tables.commit(batch).await
    }
}

/// Permits of a gate that stands open.
const OPEN: usize = 1_000_000;

/// Reads that can be told to fail.
struct Reads {
    tables: Tables,
    away: Arc<AtomicBool>,
}

#[async_trait]
impl InventoryReads for Reads {
    async fn stock(&self, product: &ProductId) -> Result<Option<StockRow>, ReadError> {
        if self.away.load(Relaxed) {
            return Err(ReadError::Away("told to fail".to_owned()));
        }
        self.tables.stock(product).await
    }

    async fn list(&self, _: Option<&ProductId>, _: u32) -> Result<Vec<StockRow>, ReadError> {
        unreachable!("no actor lists")
    }

    async fn reservation(&self, _: OrderId) -> Result<Option<ReservationRow>, ReadError> {
        unreachable!("no actor reads a reservation")
    }

    async fn movements(
        &self,
        _: &ProductId,
        _: Option<u64>,
        _: u32,
    ) -> Result<Vec<MovementRow>, ReadError> {
        unreachable!("no actor reads the ledger")
    }

    async fn forget_movements(&self, _: Timestamp, _: u32) -> Result<u64, ReadError> {
        unreachable!("no actor forgets movements")
    }

    async fn forget_adjustment_keys(&self, _: Timestamp, _: u32) -> Result<u64, ReadError> {
        unreachable!("no actor forgets keys")
    }
}

/// Hears what is said.
#[derive(Default)]
struct RecordingListener(Mutex<Vec<Arc<Message>>>);

impl OutboxListener for RecordingListener {
    fn offer(&self, rows: Vec<OutboxRow>) {
        let mut heard = self.0.lock().unwrap();
        for row in rows {
            match row.content {
                Content::Fresh(messages) => heard.extend(messages),
                Content::Parked(_) => unreachable!("nothing is parked"),
            }
        }
    }

    fn rescan(&self) {}
}

pub struct Bench {
    pub tables: Tables,
    pub skus: Skus,
    pub stock: Stock,
    pub away: Arc<AtomicBool>,
    pub world: World,
    gate: Arc<Semaphore>,
    journal: JournalHandle<Inventory>,
    handler: CommandHandler,
    ear: Arc<RecordingListener>,
    _parts: (ActorRef<()>, ActorRef<ordermill_actors::runtime::journal::Msg<Inventory>>),
}

/// A command under way.
pub type Pending = oneshot::Receiver<TicketOutcome<()>>;

impl Bench {
    pub async fn new() -> Self {
        let world = world();
        let node = |kind, name: &str| Node::new(kind, name.to_owned(), &*world.clock);
        let (tables, gate) = (Tables::default(), Arc::new(Semaphore::new(OPEN)));
        let (away, ear) =
            (Arc::new(AtomicBool::new(false)), Arc::new(RecordingListener::default()));
        let journal = JournalHandle::new(node("journal", "inventory/journal"));
        let parts = Arc::new(JournalParts {
            tracer: Tracer::default(),
            service: Arc::new(Inventory),
            store: Arc::new(GatedStore { tables: tables.clone(), gate: gate.clone() }),
            relay: ear.clone(),
            world: world.clone(),
            handle: journal.clone(),
        });
        let (journal_actor, _) = Journal::spawn(None, Journal::new(parts), ()).await.unwrap();
        let reads = Arc::new(Reads { tables: tables.clone(), away: away.clone() });
        let kind = SkuKind::new(reads, journal.clone());
        let skus = Directory::new(kind, world.clone(), IDLE_AFTER);
        let entity_supervisor =
            EntitySupervisor::new(skus.clone(), node("supervisor", "inventory/skus"));
        let (entity_supervisor, _) =
            EntitySupervisor::spawn(None, entity_supervisor, ()).await.unwrap();
        Self {
            handler: CommandHandler::new(skus.clone()),
            stock: Stock::new(skus.clone(), world.clone()),
            _parts: (entity_supervisor, journal_actor),
            tables,
            skus,
            away,
            world,
            gate,
            journal,
            ear,
        }
    }

    /// Stocks a product.
    pub async fn stocked(&self, product: &str, units: i64) -> StockRow {
        self.stock.create(product.into(), Quantity::new(units).unwrap()).await.unwrap()
    }

    /// From now on each commit waits to be let through.
    pub fn shut(&self) {
        self.gate.forget_permits(OPEN);
    }

    /// Lets so many commits through.
    pub async fn let_through(&self, commits: usize) {
        self.gate.add_permits(commits);
        settle_down().await;
    }

    /// Lets every commit through.
    pub fn open(&self) {
        self.gate.add_permits(OPEN);
    }

    /// Hands in a message, as the consumer does.
    pub fn hand_in(&self, message: Arc<Message>) -> Pending {
        let (ticket, settled) = Ticket::channel();
        self.handler.handle(message, ticket);
        settled
    }

    /// Hands in a command about an order.
    pub fn command(&self, order: u128, payload: Payload) -> Pending {
        self.hand_in(Message::new(&origin(order), payload, 0, self.world.now()))
    }

    /// Asks for stock.
    pub fn reserve(&self, order: u128, lines: &[(&str, u32)]) -> Pending {
        let line =
            |&(product, quantity): &(&str, u32)| StockLine { product_id: product.into(), quantity };
        self.command(
            order,
            Payload::Inventory(InventoryMessage::Reserve(lines.iter().map(line).collect())),
        )
    }

    /// Changes that have reached the journal, which tells itself of each commit besides.
    pub fn submitted(&self) -> u64 {
        self.journal.node().view(self.world.now()).handled - self.tables.commits()
    }

    /// The outcome of an order; None: it is not decided.
    pub fn outcome(&self, order: u128) -> Option<Reservation> {
        let order = OrderId(Uuid::from_u128(order));
        self.tables.with(|tables| Some(tables.reservations.get(&order)?.reservation.clone()))
    }

    /// True when the order has its stock.
    pub fn has_stock(&self, order: u128) -> bool {
        matches!(self.outcome(order), Some(Reservation::Reserved(_)))
    }

    /// A product's row.
    pub fn row(&self, product: &str) -> StockRow {
        self.tables.with(|tables| tables.stock[&ProductId::from(product)].clone())
    }

    /// The messages so far, in order.
    pub fn heard(&self) -> Vec<Arc<Message>> {
        self.ear.0.lock().unwrap().clone()
    }
}

pub fn origin(order: u128) -> Origin {
    let order_id = OrderId(Uuid::from_u128(order));
    Origin {
        order_id,
        flow: Default::default(),
        plan: Default::default(),
        request_id: None,
        traceparent: None,
        order: None,
    }
}

/// Lets everything happen that needs no more than a millisecond.
pub async fn settle_down() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// How a command ended.
pub async fn end(pending: Pending) -> TicketOutcome<()> {
    pending.await.expect("a ticket always settles")
}

/// A command that ended as it should.
pub async fn done(pending: Pending) {
    match end(pending).await {
        TicketOutcome::Done(()) => {}
        other => panic!("{other:?}"),
    }
}
