//! A data directory of a test's own, and the services' files in it.

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
use ordermill_sqlite::{
    DataDir, Database, audit, gateway, inventory, notification, order, payment, shipping,
};
use sqlx::migrate::Migrator;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

/// A directory that nobody else uses, removed when the test is over.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("ordermill-sqlite-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn open(&self) -> DataDir {
        DataDir::open(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file each in one directory.
pub struct SqliteBackend {
    directory: DataDir,
    open: Mutex<Vec<Database>>,
    scratch: Scratch,
}

impl SqliteBackend {
    pub fn new() -> Self {
        let scratch = Scratch::new();
        Self { directory: scratch.open(), open: Mutex::default(), scratch }
    }

    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Opens a file of this name.
    pub async fn database(&self, name: &str, migrations: &Migrator) -> Database {
        let database = Database::open(&self.directory, name, migrations).await.unwrap();
        self.open.lock().unwrap().push(database.clone());
        database
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    async fn order(&self) -> Opened<Order, dyn OrderData> {
        let database = self.database("order", &order::MIGRATIONS).await;
        Opened {
            store: Arc::new(database.clone()),
            reads: Arc::new(order::OrderDatabase(database)),
        }
    }

    async fn inventory(&self) -> Opened<Inventory, dyn InventoryReads> {
        let database = self.database("inventory", &inventory::MIGRATIONS).await;
        Opened {
            store: Arc::new(database.clone()),
            reads: Arc::new(inventory::InventoryDatabase(database)),
        }
    }

    async fn payment(&self) -> Opened<PaymentService, dyn PaymentReads> {
        let database = self.database("payment", &payment::MIGRATIONS).await;
        Opened {
            store: Arc::new(database.clone()),
            reads: Arc::new(payment::PaymentDatabase(database)),
        }
    }

    async fn gateway(&self) -> Opened<SimulatedGateway, dyn GatewayReads> {
        let database = self.database("gateway", &gateway::MIGRATIONS).await;
        Opened {
            store: Arc::new(database.clone()),
            reads: Arc::new(gateway::GatewayDatabase(database)),
        }
    }

    async fn shipping(&self) -> Opened<Shipping, dyn ShipmentReads> {
        let database = self.database("shipping", &shipping::MIGRATIONS).await;
        Opened {
            store: Arc::new(database.clone()),
            reads: Arc::new(shipping::ShippingDatabase(database)),
        }
    }

    async fn notification(&self) -> Opened<NotificationService, dyn NotificationReads> {
        let database = self.database("notification", &notification::MIGRATIONS).await;
        let reads = notification::NotificationDatabase(database.clone());
        Opened { store: Arc::new(database), reads: Arc::new(reads) }
    }

    async fn audit(&self) -> Opened<AuditService, dyn AuditReads> {
        let database = self.database("audit", &audit::MIGRATIONS).await;
        Opened {
            store: Arc::new(database.clone()),
            reads: Arc::new(audit::AuditDatabase(database)),
        }
    }

    async fn sources(&self) -> Sources {
        let order = order::OrderDatabase(self.database("order", &order::MIGRATIONS).await);
        let inventory =
            inventory::InventoryDatabase(self.database("inventory", &inventory::MIGRATIONS).await);
        let payment =
            payment::PaymentDatabase(self.database("payment", &payment::MIGRATIONS).await);
        let gateway =
            gateway::GatewayDatabase(self.database("gateway", &gateway::MIGRATIONS).await);
        let shipping =
            shipping::ShippingDatabase(self.database("shipping", &shipping::MIGRATIONS).await);
        let notification = notification::NotificationDatabase(
            self.database("notification", &notification::MIGRATIONS).await,
        );
        let audit = audit::AuditDatabase(self.database("audit", &audit::MIGRATIONS).await);
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
