//! A whole shop in memory: every service on in-memory stores and the in-process broker, in one thread.
//!
//! The same wiring, deciders and components as a server's; only the databases are models and the clock
//! is tokio's, so that hours pass in milliseconds under paused time.

use super::stores::Plain;
use crate::broker::LocalBroker;
use crate::gateway::GatewayReads;
use crate::gateway::{GatewayHandle, NotificationListener};
use crate::inventory::{InventoryReads, InventorySettings, Stock};
use crate::notification::Messengers;
use crate::order::{OrderReads, OrderSettings, Orders};
use crate::payment::{
    Gateways, NOTIFICATIONS_KEPT, NotificationReaders, PaymentRequests, PaymentSettings,
};
use crate::ports::Broker;
use crate::registry::{DirectLine, GatewayLine, ServiceDatabases, ServiceSettings, wire};
use crate::runtime::service_builder::{Process, ROOT};
use crate::runtime::tree::TreeQuery;
use crate::traces::Tracer;
use ordermill_domain::backoff::Backoff;
use ordermill_domain::clock::World;
use ordermill_domain::gateway::GatewayPolicy;
use ordermill_domain::ids::{OrderId, ProductId, ServiceName};
use ordermill_domain::inventory::{Quantity, StockRow};
use ordermill_domain::messages::{Flow, Plan};
use ordermill_domain::order::Saga;
use ordermill_domain::payment::{GatewayKey, PaymentPolicy};
use ordermill_domain::shipping::ShippingPolicy;
use ractor::{Actor, ActorCell};
use std::sync::Arc;
use std::time::Duration;

pub use super::stores::ShopStores;

/// How a shop goes about its work.
#[derive(Clone, Debug, Default)]
pub struct ShopSettings {
    /// The order service's.
    pub order: OrderSettings,
    /// The gateway's.
    pub gateway: GatewayPolicy,
    /// How the gateway is waited for.
    pub payment: PaymentPolicy,
    /// The carrier's.
    pub shipping: ShippingPolicy,
    /// Where spans are recorded.
    pub tracer: Tracer,
}

/// How new orders go: their flow, and the plan that is set.
pub type Way = (Flow, Plan);

/// Every way there is. The choreographed flow has a plan of its own, whatever is set.
pub const WAYS: [Way; 3] = [
    (Flow::Orchestrated, Plan::ReserveFirst),
    (Flow::Orchestrated, Plan::PaymentFirst),
    (Flow::Choreographed, Plan::ReserveFirst),
];

impl ShopSettings {
    /// A shop whose new orders go this way, else as usual.
    pub fn of((flow, plan): Way) -> Self {
        Self { order: OrderSettings { flow, plan, ..OrderSettings::default() }, ..Self::default() }
    }
}

/// What a shop's process runs on.
pub struct Backing {
    /// Time and ids, as this process has them.
    pub world: World,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// The databases.
    pub databases: ServiceDatabases,
    /// The line to the gateway.
    pub line: Box<dyn GatewayLine>,
    /// True when no other process works on the same databases.
    pub alone: bool,
}

impl Backing {
    /// The databases themselves, and an in-process broker.
    pub fn plain(stores: &ShopStores) -> Self {
        Self {
            world: stores.world.clone(),
            broker: Arc::new(LocalBroker::default()),
            databases: stores.databases(&Plain),
            line: Box::new(DirectLine),
            alone: true,
        }
    }
}

/// A running shop.
pub struct Shop {
    /// Takes orders.
    pub orders: Orders,
    /// Sets stock.
    pub stock: Stock,
    /// Takes what people ask of payments.
    pub payments: Arc<dyn PaymentRequests>,
    /// The gateway, as customers reach its pages.
    pub gateway: GatewayHandle,
    _listener: Option<NotificationListener>,
    /// The databases.
    pub stores: ShopStores,
    /// Time and ids.
    pub world: World,
    /// Its actors and services.
    pub process: Process,
    root: ActorCell,
}

impl Shop {
    /// Opens a shop on databases that may have been used before.
    pub async fn open(stores: ShopStores, settings: ShopSettings) -> Self {
        let backing = Backing::plain(&stores);
        Self::open_on(stores, backing, settings).await
    }

    /// Opens a shop on databases and a broker of one's own; `stores` are where they keep their rows.
    pub async fn open_on(stores: ShopStores, backing: Backing, settings: ShopSettings) -> Self {
        let Backing { world, broker, databases, line, alone } = backing;
        let mut process = Process::new(world.clone(), broker);
        process.tracer = settings.tracer;
        let idle_after = settings.order.idle_after;
        let settings = ServiceSettings {
            order: settings.order,
            inventory: InventorySettings::default(),
            gateway: settings.gateway,
            line,
            payment: PaymentSettings {
                policy: settings.payment,
                idle_after,
                alone,
                gateways: Gateways::default(),
                readers: NotificationReaders::default(),
                notifications_kept: NOTIFICATIONS_KEPT,
            },
            shipping: settings.shipping,
            messengers: Messengers::default(),
        };
        let wired = wire(&mut process, &databases, ServiceName::ALL.iter(), &settings);
        let (root, _) = Actor::spawn(None, process.supervisor(wired.parts), ())
            .await
            .expect("a shop in memory has nothing that could fail at its start");
        let (orders, stock) = wired.orders.zip(wired.stock).expect("every database is open");
        let (payments, gateway) =
            wired.payments.zip(wired.gateway).expect("every database is open");
        let (root, _listener) = (root.get_cell(), wired.listener);
        Self { orders, stock, payments, gateway, _listener, stores, world, process, root }
    }

    /// Kills it, as kill −9 would: what is not in a database is gone. Its actors end one after the other.
    pub fn kill(self) -> ShopStores {
        self.restart(ROOT);
        self.root.kill();
        self.stores
    }

    /// Kills an actor, and before it all that it supervises, in the order of their names: whoever's
    /// supervisor is gone goes with it, but ractor has them end in an order that no seed decides.
    pub fn restart(&self, name: &str) {
        let tree = &self.process.tree;
        let look = TreeQuery { under: Some(name), limit: usize::MAX, ..TreeQuery::default() };
        let below = tree.view(&look).into_iter().flatten().flat_map(|part| part.children);
        below.for_each(|child| self.restart(&child.name));
        tree.restart(name);
    }

    /// Stocks a product.
    pub async fn stock(&self, product: &str, units: i64) {
        let units = Quantity::new(units).expect("a test stocks a sensible number");
        let stocked = self.stock.create(ProductId::from(product), units).await;
        stocked.expect("the product is new");
    }

    /// An order's saga, once it rests. Waits for it up to an hour of the shop's time.
    pub async fn rested(&self, order: OrderId) -> Saga {
        let resting = async {
            // Longer and longer: most rest at once, and the others wait for half a minute.
            let poll = Backoff::new(Duration::from_millis(1), Duration::from_millis(500));
            let mut looks = 0;
            loop {
                if let Ok(Some(saga)) = self.stores.order.order(order).await
                    && saga.is_at_rest()
                {
                    return saga;
                }
                tokio::time::sleep(poll.delay(looks)).await;
                looks += 1;
            }
        };
        tokio::time::timeout(Duration::from_secs(3_600), resting)
            .await
            .expect("every accepted order comes to rest")
    }

    /// No service has given up a message.
    pub fn assert_no_dead_letters(&self) {
        assert_eq!(self.stores.dead_letters(), []);
    }

    /// A product's stock, as committed.
    pub async fn stock_row(&self, product: &str) -> StockRow {
        let row = self.stores.inventory.stock(&ProductId::from(product)).await;
        row.expect("memory answers").expect("the product is there")
    }

    /// The amount that the gateway holds for an order, in minor units, by its own ledger.
    pub async fn money_held(&self, order: OrderId) -> i64 {
        let entry = self.stores.gateway.entry(GatewayKey::of(order)).await;
        entry.expect("memory answers").map_or(0, |entry| entry.held_minor())
    }
}
