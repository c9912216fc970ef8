//! A whole shop in memory: every service on in-memory stores and the in-process broker, in one thread.
//!
//! The same wiring, deciders and components as a server's; only the databases are models and the clock
//! is tokio's, so that hours pass in milliseconds under paused time.

use super::{MemoryStore, world};
use crate::audit::AuditMemory;
use crate::broker::LocalBroker;
use crate::gateway::GatewayReads;
use crate::gateway::memory::GatewayTables;
use crate::inventory::{InventoryReads, InventoryTables, Stock};
use crate::notification::{Messengers, NotificationMemory};
use crate::order::memory::OrderTables;
use crate::order::{DueOrders, OrderReads, Orders, SagaObserver};
use crate::payment::memory::PaymentTables;
use crate::payment::{Gateway, PaymentReads};
use crate::ports::{Broker, Database};
use crate::reconciliation::Sources;
use crate::runtime::service_builder::{Process, ROOT};
use crate::runtime::tree::TreeQuery;
use crate::services::{self, InventorySettings, OrderSettings, PaymentSettings};
use crate::shipping::ShippingMemory;
use ordermill_domain::audit::AuditService;
use ordermill_domain::backoff::Backoff;
use ordermill_domain::clock::World;
use ordermill_domain::gateway::{GatewayPolicy, SimulatedGateway};
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{Inventory, Quantity, StockRow};
use ordermill_domain::messages::{Flow, Plan};
use ordermill_domain::notification::NotificationService;
use ordermill_domain::order::{Order, Saga, SagaStatus};
use ordermill_domain::payment::{GatewayKey, PaymentPolicy, PaymentService};
use ordermill_domain::shipping::{Shipping, ShippingPolicy};
use ractor::{Actor, ActorCell};
use std::sync::Arc;
use std::time::Duration;

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

/// Every database of a shop: what survives when its process is killed.
#[derive(Clone)]
pub struct ShopStores {
    /// Time and ids go on where an earlier life has left them.
    pub world: World,
    /// Orders and sagas.
    pub order: MemoryStore<OrderTables>,
    /// Stock and reservations.
    pub inventory: MemoryStore<InventoryTables>,
    /// Payments.
    pub payment: MemoryStore<PaymentTables>,
    /// The gateway's ledger.
    pub gateway: MemoryStore<GatewayTables>,
    /// Shipments.
    pub shipping: MemoryStore<ShippingMemory>,
    /// Notifications.
    pub notification: MemoryStore<NotificationMemory>,
    /// The audit.
    pub audit: MemoryStore<AuditMemory>,
}

impl Default for ShopStores {
    /// Empty databases. Must be made inside of a runtime.
    fn default() -> Self {
        Self {
            world: world(),
            order: MemoryStore::default(),
            inventory: MemoryStore::default(),
            payment: MemoryStore::default(),
            gateway: MemoryStore::default(),
            shipping: MemoryStore::default(),
            notification: MemoryStore::default(),
            audit: MemoryStore::default(),
        }
    }
}

impl ShopStores {
    /// The sources that reconciliation compares.
    pub fn sources(&self) -> Sources {
        Sources {
            order: Some(Arc::new(self.order.clone())),
            reservation: Some(Arc::new(self.inventory.clone())),
            payment: Some(Arc::new(self.payment.clone())),
            ledger: Some(Arc::new(self.gateway.clone())),
            shipment: Some(Arc::new(self.shipping.clone())),
            audit: Some(Arc::new(self.audit.clone())),
            notifications: Some(Arc::new(self.notification.clone())),
            products: Some(Arc::new(self.inventory.clone())),
        }
    }
}

/// Wraps the gateway: the line between the payment service and the gateway.
pub type GatewayLine = Box<dyn FnOnce(Arc<dyn Gateway>) -> Arc<dyn Gateway> + Send>;

/// The reads of a shop's actors.
pub struct Reads {
    /// Orders.
    pub order: Arc<dyn OrderReads>,
    /// Overdue orders.
    pub due: Arc<dyn DueOrders>,
    /// Stock.
    pub inventory: Arc<dyn InventoryReads>,
    /// Payments.
    pub payment: Arc<dyn PaymentReads>,
    /// The gateway's ledger.
    pub gateway: Arc<dyn GatewayReads>,
}

/// The world, the broker and the databases of a shop's process.
pub struct Backing {
    /// Time and ids, as this process has them.
    pub world: World,
    /// The broker.
    pub broker: Arc<dyn Broker>,
    /// The reads of its actors.
    pub reads: Reads,
    /// The order service's database.
    pub order: Arc<dyn Database<Order>>,
    /// The inventory service's.
    pub inventory: Arc<dyn Database<Inventory>>,
    /// The payment service's.
    pub payment: Arc<dyn Database<PaymentService>>,
    /// The gateway's.
    pub gateway: Arc<dyn Database<SimulatedGateway>>,
    /// The shipping service's.
    pub shipping: Arc<dyn Database<Shipping>>,
    /// The notification service's.
    pub notification: Arc<dyn Database<NotificationService>>,
    /// The audit service's.
    pub audit: Arc<dyn Database<AuditService>>,
    /// The line to the gateway.
    pub line: GatewayLine,
    /// True when no other process works on the same databases.
    pub alone: bool,
}

impl Backing {
    /// The databases themselves, and an in-process broker.
    pub fn plain(stores: &ShopStores) -> Self {
        Self {
            world: stores.world.clone(),
            broker: Arc::new(LocalBroker::default()),
            reads: Reads {
                order: Arc::new(stores.order.clone()),
                due: Arc::new(stores.order.clone()),
                inventory: Arc::new(stores.inventory.clone()),
                payment: Arc::new(stores.payment.clone()),
                gateway: Arc::new(stores.gateway.clone()),
            },
            order: Arc::new(stores.order.clone()),
            inventory: Arc::new(stores.inventory.clone()),
            payment: Arc::new(stores.payment.clone()),
            gateway: Arc::new(stores.gateway.clone()),
            shipping: Arc::new(stores.shipping.clone()),
            notification: Arc::new(stores.notification.clone()),
            audit: Arc::new(stores.audit.clone()),
            line: Box::new(|gateway| gateway),
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
    /// The databases.
    pub stores: ShopStores,
    /// Time and ids.
    pub world: World,
    /// Its actors and services.
    pub process: Process,
    root: ActorCell,
}

struct Unseen;

impl SagaObserver for Unseen {
    fn reached(&self, _: SagaStatus, _: Duration) {}
}

impl Shop {
    /// Opens a shop on databases that may have been used before.
    pub async fn open(stores: ShopStores, settings: ShopSettings) -> Self {
        let backing = Backing::plain(&stores);
        Self::open_on(stores, backing, settings).await
    }

    /// Opens a shop on databases and a broker of one's own; `stores` are where they keep their rows.
    pub async fn open_on(stores: ShopStores, backing: Backing, settings: ShopSettings) -> Self {
        let world = backing.world;
        let mut process = Process::new(world.clone(), backing.broker);
        let ShopSettings { order, gateway, payment, shipping } = settings;
        let reads = backing.reads;
        let idle_after = order.idle_after;
        let (orders, order) = services::order(
            &mut process,
            backing.order,
            reads.order,
            reads.due,
            order,
            Arc::new(Unseen),
        );
        let (stock, inventory) = services::inventory(
            &mut process,
            backing.inventory,
            reads.inventory,
            InventorySettings::default(),
        );
        let (gateway, ledger) =
            services::gateway(&mut process, backing.gateway, reads.gateway, gateway);
        let gateway = (backing.line)(gateway);
        let settings = PaymentSettings { policy: payment, idle_after, alone: backing.alone };
        let payment =
            services::payment(&mut process, backing.payment, reads.payment, gateway, settings);
        let shipping = services::shipping(&mut process, backing.shipping, shipping);
        let (_, notification) =
            services::notification(&mut process, backing.notification, Messengers::default());
        let audit = services::audit(&mut process, backing.audit);
        let parts = vec![order, inventory, ledger, payment, shipping, notification, audit];
        let (root, _) = Actor::spawn(None, process.supervisor(parts), ())
            .await
            .expect("a shop in memory has nothing that could fail at its start");
        Self { orders, stock, stores, world, process, root: root.get_cell() }
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
        let stores = &self.stores;
        let letters = [
            stores.order.dead_letters(),
            stores.inventory.dead_letters(),
            stores.payment.dead_letters(),
            stores.shipping.dead_letters(),
            stores.notification.dead_letters(),
            stores.audit.dead_letters(),
        ];
        assert!(letters.iter().all(Vec::is_empty), "{letters:?}");
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
