//! A whole shop in memory: every service on in-memory stores and the in-process broker, in one thread.
//!
//! The same wiring, deciders and stations as a server's; only the databases are models and the clock
//! is tokio's, so that hours pass in milliseconds under paused time.

use super::{MemoryStore, world};
use crate::audit::AuditMemory;
use crate::broker::LocalBroker;
use crate::clock::World;
use crate::gateway::GatewayPolicy;
use crate::gateway::memory::GatewayTables;
use crate::ids::{OrderId, ProductId};
use crate::inventory::{InventoryReads, InventoryTables, Quantity, Stock, StockRow};
use crate::messages::{Contact, Line, OrderDetails, Priority};
use crate::money::Currency;
use crate::notification::{Messengers, NotificationMemory};
use crate::order::memory::OrderTables;
use crate::order::{OrderReads, Orders, Saga, SagaObserver, SagaStatus};
use crate::payment::memory::PaymentTables;
use crate::payment::{GatewayKey, PaymentPolicy};
use crate::runtime::stations::Process;
use crate::services::{self, OrderSettings, PaymentSettings};
use crate::shipping::{ShippingMemory, ShippingPolicy};
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
    /// What lives in it.
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
        let world = stores.world.clone();
        let mut process = Process::new(world.clone(), Arc::new(LocalBroker::default()));
        let ShopSettings { order, gateway, payment, shipping } = settings;
        let shared = Arc::new(stores.order.clone());
        let idle_after = order.idle_after;
        let (orders, order) = services::order(
            &mut process,
            shared.clone(),
            shared.clone(),
            shared,
            order,
            Arc::new(Unseen),
        );
        let shared = Arc::new(stores.inventory.clone());
        let (stock, inventory) = services::inventory(&mut process, shared.clone(), shared);
        let shared = Arc::new(stores.gateway.clone());
        let (gateway, ledger) = services::gateway(&mut process, shared.clone(), shared, gateway);
        let shared = Arc::new(stores.payment.clone());
        let settings = PaymentSettings { policy: payment, idle_after, alone: true };
        let payment = services::payment(&mut process, shared.clone(), shared, gateway, settings);
        let shipping =
            services::shipping(&mut process, Arc::new(stores.shipping.clone()), shipping);
        let store = Arc::new(stores.notification.clone());
        let (_, notification) = services::notification(&mut process, store, Messengers::default());
        let audit = services::audit(&mut process, Arc::new(stores.audit.clone()));
        let parts = vec![order, inventory, ledger, payment, shipping, notification, audit];
        let (root, _) = Actor::spawn(None, process.supervisor(parts), ())
            .await
            .expect("a shop in memory has nothing that could fail at its start");
        Self { orders, stock, stores, world, process, root: root.get_cell() }
    }

    /// Kills it, as kill −9 would: what is not in a database is gone.
    pub fn kill(self) -> ShopStores {
        self.root.kill();
        self.stores
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
            loop {
                if let Ok(Some(saga)) = self.stores.order.order(order).await
                    && saga.is_at_rest()
                {
                    return saga;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(3_600), resting)
            .await
            .expect("every accepted order comes to rest")
    }

    /// A product's stock, as committed.
    pub async fn shelf(&self, product: &str) -> StockRow {
        let row = self.stores.inventory.stock(&ProductId::from(product)).await;
        row.expect("memory answers").expect("the product is there")
    }

    /// What the gateway holds for an order, in minor units, by its own ledger.
    pub async fn money_held(&self, order: OrderId) -> i64 {
        use crate::gateway::GatewayReads;
        let entry = self.stores.gateway.entry(GatewayKey::of(order)).await;
        entry.expect("memory answers").map_or(0, |entry| entry.held_minor())
    }
}

/// An order of these products and quantities, at 10.00 a unit.
pub fn order_of(lines: &[(&str, u32)], payment_method: &str) -> OrderDetails {
    let lines: Vec<Line> = lines
        .iter()
        .map(|(product, quantity)| Line {
            product_id: ProductId::from(*product),
            quantity: *quantity,
            unit_price_minor: Some(1_000),
            amount_minor: i64::from(*quantity) * 1_000,
        })
        .collect();
    OrderDetails {
        customer_id: "anna".to_owned(),
        payment_method: payment_method.to_owned(),
        currency: Currency::USD,
        total_minor: lines.iter().map(|line| line.amount_minor).sum(),
        lines,
        contact: Contact::default(),
        address: None,
        priority: Priority::Standard,
    }
}
