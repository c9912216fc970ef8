//! The inventory service as it runs in a server, all of its components, on a schema of its own. Only the broker is
//! ours: it hands over what clients ask, and takes every event at once.
//!
//! ```text
//! client ─▶ Desk (the broker) ─▶ consumer ─▶ sku/hot ─▶ journal ─▶ relay ─▶ Desk, which takes it
//!   ▲                                                      │
//!   └────────────────────────── ack ◀──────────────────────┘ committed
//! ```

use super::tally::Tally;
use anyhow::{Context, ensure};
use ordermill::app::world;
use ordermill_actors::inventory::{self, InventoryReads, InventorySettings};
use ordermill_actors::ports::{Delivery, DeliveryChannel, DeliverySink, Remainder};
use ordermill_actors::runtime::relay::RelayBacklog;
use ordermill_actors::runtime::service_builder::Process;
use ordermill_actors::runtime::supervisor::Msg;
use ordermill_actors::testing::ManualBroker;
use ordermill_domain::clock::World;
use ordermill_domain::failures::Failures;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{Lines, Quantity};
use ordermill_domain::messages::{
    Body, Flow, InventoryMessage, Message, Origin, Payload, Plan, Queue, StockLine,
};
use ordermill_postgres::Database;
use ordermill_postgres::inventory::{InventoryDatabase, MIGRATIONS};
use ractor::{Actor, ActorRef};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// The product.
const PRODUCT: &str = "hot";
/// The service's own actors start within this time, and its outbox empties.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether the outbox is empty.
const POLL_EVERY: Duration = Duration::from_millis(20);

/// The running service.
pub struct Service {
    broker: Arc<ManualBroker>,
    world: World,
    database: Database,
    outbox: Arc<RelayBacklog>,
    root: ActorRef<Msg>,
    ended: JoinHandle<()>,
}

impl Service {
    /// Starts it on a schema, which is made, with so many units.
    pub async fn start(url: &str, schema: &'static str, units: i64) -> anyhow::Result<Self> {
        let database = Database::open(url, schema, &MIGRATIONS, world::owner()).await?;
        let store = Arc::new(database.clone());
        let reads = Arc::new(InventoryDatabase(database.clone()));
        let (broker, world) = (Arc::new(ManualBroker::of(Queue::InventoryCommands)), world::real());
        let mut process = Process::new(world.clone(), broker.clone());
        let (stock, part) =
            inventory::wire(&mut process, store, reads, InventorySettings::default());
        let outbox = process.backlogs.first().cloned().context("the relay's flow")?;
        let supervisor = process.supervisor(vec![part]);
        let (root, ended) = Actor::spawn(None, supervisor, ()).await.context("the service")?;
        let quantity = Quantity::new(units).context("too many units")?;
        stock.create(ProductId::from(PRODUCT), quantity).await?;
        Ok(Self { broker, world, database, outbox, root, ended })
    }

    /// How many reservations so many clients get committed, each asking for its next when it has its last.
    pub async fn reservations(&self, clients: usize, time: Duration) -> anyhow::Result<Tally> {
        let consumer = timeout(PATIENCE, self.broker.consumer()).await;
        let sink = consumer.context("the service does not consume")?;
        let began = Instant::now();
        let until = began + time;
        let clients = (0..clients).map(|_| client(sink.clone(), self.world.clone(), until));
        let tally = Tally::of(clients, began).await?;
        // What was put off for later is part of the work.
        while self.outbox.open() > 0 && began.elapsed() < time + PATIENCE {
            sleep(POLL_EVERY).await;
        }
        Ok(Tally { took: began.elapsed(), ..tally })
    }

    /// Ends it; says what is wrong with the stock, if not as many units are reserved as were told.
    pub async fn stop(self, units: i64, reserved: u64) -> anyhow::Result<Option<String>> {
        let row = InventoryDatabase(self.database.clone()).stock(&ProductId::from(PRODUCT)).await?;
        self.root.stop(None);
        let _ = timeout(PATIENCE, self.ended).await;
        self.database.close().await;
        let row = row.context("the product does not exist")?;
        let balances = row.on_hand == units && i64::try_from(reserved) == Ok(row.reserved);
        Ok((!balances).then(|| format!("service: {reserved} reservations requested, but {row:?}")))
    }
}

async fn client(
    sink: Arc<dyn DeliverySink>,
    world: World,
    until: Instant,
) -> anyhow::Result<Tally> {
    let line = StockLine { product_id: ProductId::from(PRODUCT), quantity: 1 };
    let lines = Lines::try_from(vec![line])?;
    let answer = Arc::new(AckCounter::default());
    let mut tally = Tally::default();
    while Instant::now() < until {
        let origin = Origin::new(OrderId(world.ids.next()), Flow::Orchestrated, Plan::ReserveFirst);
        let ask = Payload::Inventory(InventoryMessage::Reserve(lines.iter().cloned().collect()));
        let message = Message::new(&origin, ask, 0, world.clock.now());
        sink.deliver(Delivery {
            queue: Queue::InventoryCommands,
            content: Ok(Body::One(message)),
            failures: Failures::default(),
            tag: 0,
            channel: answer.clone(),
        });
        answer.settled.notified().await;
        ensure!(!answer.failed.load(Relaxed), "a reservation failed; see the log");
        tally.reserved += 1;
    }
    Ok(tally)
}

/// One client's channel: it has one delivery under way.
#[derive(Default)]
struct AckCounter {
    settled: Notify,
    failed: AtomicBool,
}

impl DeliveryChannel for AckCounter {
    fn acknowledge(&self, _: u64, remainder: Vec<Remainder>) {
        self.failed.fetch_or(!remainder.is_empty(), Relaxed);
        self.settled.notify_one();
    }
}
