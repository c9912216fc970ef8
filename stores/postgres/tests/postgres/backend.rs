//! The services' schemas in a database of a test's own. Whatever is opened is a process of its own, as
//! far as the database can tell.

use crate::proxy::Proxy;
use crate::server::Scratch;
use async_trait::async_trait;
use ordermill_actors::audit::AuditReads;
use ordermill_actors::gateway::GatewayReads;
use ordermill_actors::inventory::InventoryReads;
use ordermill_actors::notification::NotificationReads;
use ordermill_actors::payment::PaymentReads;
use ordermill_actors::reconciliation::Sources;
use ordermill_actors::shipping::ShipmentReads;
use ordermill_contract::{Backend, Opened, OrderData};
use ordermill_domain::audit::AuditService;
use ordermill_domain::gateway::SimulatedGateway;
use ordermill_domain::inventory::Inventory;
use ordermill_domain::notification::NotificationService;
use ordermill_domain::order::Order;
use ordermill_domain::payment::PaymentService;
use ordermill_domain::shipping::Shipping;
use ordermill_postgres::{
    Database, audit, gateway, inventory, notification, order, payment, shipping,
};
use sqlx::migrate::Migrator;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

/// A number that no other process of the tests has.
pub fn next_owner() -> i64 {
    static OWNERS: AtomicI64 = AtomicI64::new(1);
    // Both halves of it are in use, as in a number that is drawn at random.
    OWNERS.fetch_add(1, Relaxed) * 0x0001_0000_0001
}

/// A schema each in one database.
pub struct PostgresBackend {
    scratch: Scratch,
    url: String,
    proxy: Option<Proxy>,
    open: Mutex<Vec<Database>>,
}

impl PostgresBackend {
    pub async fn new() -> Self {
        let scratch = Scratch::new().await;
        let url = scratch.url();
        Self { scratch, url, proxy: None, open: Mutex::default() }
    }

    /// The same, over connections that can be cut.
    pub async fn behind_a_proxy() -> Self {
        let scratch = Scratch::new().await;
        let proxy = Proxy::new(&scratch.options()).await;
        let url = scratch.url_at(proxy.address);
        Self { scratch, url, proxy: Some(proxy), open: Mutex::default() }
    }

    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    pub fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().expect("this backend has a proxy")
    }

    /// Opens a schema as a process of this number.
    pub async fn database(
        &self,
        schema: &'static str,
        migrations: &Migrator,
        owner: i64,
    ) -> Database {
        let database = Database::open(&self.url, schema, migrations, owner).await.unwrap();
        self.open.lock().unwrap().push(database.clone());
        database
    }
}

/// Opens `$service` as one more process.
macro_rules! open {
    ($backend:ident, $service:ident, $reads:ident) => {{
        use $service::{MIGRATIONS, SCHEMA, $reads};
        let database = $backend.database(SCHEMA, &MIGRATIONS, next_owner()).await;
        Opened { store: Arc::new(database.clone()), reads: Arc::new($reads(database)) }
    }};
}

#[async_trait]
impl Backend for PostgresBackend {
    async fn order(&self) -> Opened<Order, dyn OrderData> {
        open!(self, order, OrderDatabase)
    }

    async fn inventory(&self) -> Opened<Inventory, dyn InventoryReads> {
        open!(self, inventory, InventoryDatabase)
    }

    async fn payment(&self) -> Opened<PaymentService, dyn PaymentReads> {
        open!(self, payment, PaymentDatabase)
    }

    async fn gateway(&self) -> Opened<SimulatedGateway, dyn GatewayReads> {
        open!(self, gateway, GatewayDatabase)
    }

    async fn shipping(&self) -> Opened<Shipping, dyn ShipmentReads> {
        open!(self, shipping, ShippingDatabase)
    }

    async fn notification(&self) -> Opened<NotificationService, dyn NotificationReads> {
        open!(self, notification, NotificationDatabase)
    }

    async fn audit(&self) -> Opened<AuditService, dyn AuditReads> {
        open!(self, audit, AuditDatabase)
    }

    async fn sources(&self) -> Sources {
        let order = order::OrderDatabase(
            self.database(order::SCHEMA, &order::MIGRATIONS, next_owner()).await,
        );
        let inventory = inventory::InventoryDatabase(
            self.database(inventory::SCHEMA, &inventory::MIGRATIONS, next_owner()).await,
        );
        let payment = payment::PaymentDatabase(
            self.database(payment::SCHEMA, &payment::MIGRATIONS, next_owner()).await,
        );
        let gateway = gateway::GatewayDatabase(
            self.database(gateway::SCHEMA, &gateway::MIGRATIONS, next_owner()).await,
        );
        let shipping = shipping::ShippingDatabase(
            self.database(shipping::SCHEMA, &shipping::MIGRATIONS, next_owner()).await,
        );
        let notification = notification::NotificationDatabase(
            self.database(notification::SCHEMA, &notification::MIGRATIONS, next_owner()).await,
        );
        let audit = audit::AuditDatabase(
            self.database(audit::SCHEMA, &audit::MIGRATIONS, next_owner()).await,
        );
        let inventory = Arc::new(inventory);
        Sources {
            order: Some(Arc::new(order)),
            reservation: Some(inventory.clone()),
            payment: Some(Arc::new(payment)),
            ledger: Some(Arc::new(gateway)),
            shipment: Some(Arc::new(shipping)),
            audit: Some(Arc::new(audit)),
            notifications: Some(Arc::new(notification)),
            products: Some(inventory),
        }
    }

    async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap());
        for database in open {
            database.close().await;
        }
    }
}
