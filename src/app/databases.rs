//! Opens the databases of the services that run here: SQLite files, or schemas on PostgreSQL.

use crate::app::boot::{Boot, Wait};
use crate::config::{Config, Infrastructure, Secret, Servers};
use anyhow::anyhow;
use ordermill_actors::audit::{AuditReads, AuditService};
use ordermill_actors::gateway::{GatewayReads, SimulatedGateway};
use ordermill_actors::ids::ServiceName;
use ordermill_actors::inventory::{Inventory, InventoryReads};
use ordermill_actors::notification::{NotificationReads, NotificationService};
use ordermill_actors::order::{DueOrders, Order, OrderReads};
use ordermill_actors::payment::{PaymentReads, PaymentService};
use ordermill_actors::ports::Database;
use ordermill_actors::shipping::{ShipmentReads, Shipping};
use ordermill_sqlite::DataDir;
use std::sync::Arc;
use uuid::Uuid;

/// A service's database: for its stations, and for whoever only looks.
pub struct Opened<S, R: ?Sized> {
    /// What its journal and relay work on.
    pub store: Arc<dyn Database<S>>,
    /// What is read of it.
    pub reads: Arc<R>,
    /// Which installation it belongs to. None: nobody else can reach it.
    pub identity: Option<Uuid>,
}

/// What the order service's sweeper and the API ask of one and the same database.
pub trait OrderDatabase: OrderReads + DueOrders {}

impl<T: OrderReads + DueOrders> OrderDatabase for T {}

/// Where the databases are.
pub enum Databases {
    /// Files under a directory that nobody else uses meanwhile.
    Sqlite(DataDir),
    /// PostgreSQL, shared with other processes.
    Postgres {
        /// Where.
        servers: Box<Servers>,
        /// This process's number as the owner of outbox rows.
        owner: i64,
    },
}

/// Opens `$name` on whichever of the two it is; both crates are built alike.
macro_rules! open {
    ($self:ident, $boot:ident, $name:ident, $tables:ident, $reads:ident, $url:expr) => {{
        let name = stringify!($name);
        match $self {
            Self::Sqlite(directory) => {
                use ordermill_sqlite::{Database, SqliteStore, $name};
                let opened = Database::open(directory, name, &$name::MIGRATIONS).await;
                let database = opened.map_err(|error| anyhow!(error).context(failed(name)))?;
                let store = Arc::new(SqliteStore::new(database.clone(), $name::$tables));
                Opened { store, reads: Arc::new($name::$reads(database)), identity: None }
            }
            Self::Postgres { servers, owner } => {
                use ordermill_postgres::{Database, PgStore, $name};
                let url =
                    $url(&**servers).ok_or_else(|| anyhow!("the {name} database is not set"))?;
                let open = async || {
                    Database::open(Secret::expose(url), $name::SCHEMA, &$name::MIGRATIONS, *owner)
                        .await
                        .map_err(|error| match error.may_pass() {
                            true => Wait::Again(anyhow!(error)),
                            false => Wait::Never(anyhow!(error).context(failed(name))),
                        })
                };
                let database = $boot.wait_for(&format!("the {name} database"), open).await?;
                let store = Arc::new(PgStore::new(database.clone(), $name::$tables));
                let identity = Some(database.identity());
                Opened { store, reads: Arc::new($name::$reads(database)), identity }
            }
        }
    }};
}

fn failed(name: &str) -> String {
    format!("the {name} database")
}

fn of(service: ServiceName) -> impl Fn(&Servers) -> Option<&Secret> {
    move |servers| servers.database(service)
}

impl Databases {
    /// The databases that the settings name.
    pub fn new(config: &Config, owner: i64) -> anyhow::Result<Self> {
        Ok(match &config.infrastructure {
            Infrastructure::Embedded => Self::Sqlite(DataDir::open(&config.data_dir)?),
            Infrastructure::Servers(servers) => Self::Postgres { servers: servers.clone(), owner },
        })
    }

    /// The order service's.
    pub async fn order(&self, boot: &Boot) -> anyhow::Result<Opened<Order, dyn OrderDatabase>> {
        Ok(open!(self, boot, order, OrderTables, OrderDatabase, of(ServiceName::Order)))
    }

    /// The inventory service's.
    pub async fn inventory(
        &self,
        boot: &Boot,
    ) -> anyhow::Result<Opened<Inventory, dyn InventoryReads>> {
        let url = of(ServiceName::Inventory);
        Ok(open!(self, boot, inventory, InventoryTables, InventoryDatabase, url))
    }

    /// The simulated gateway's.
    pub async fn gateway(
        &self,
        boot: &Boot,
    ) -> anyhow::Result<Opened<SimulatedGateway, dyn GatewayReads>> {
        Ok(open!(self, boot, gateway, GatewayTables, GatewayDatabase, Servers::gateway))
    }

    /// The payment service's.
    pub async fn payment(
        &self,
        boot: &Boot,
    ) -> anyhow::Result<Opened<PaymentService, dyn PaymentReads>> {
        let url = of(ServiceName::Payment);
        Ok(open!(self, boot, payment, PaymentTables, PaymentDatabase, url))
    }

    /// The shipping service's.
    pub async fn shipping(
        &self,
        boot: &Boot,
    ) -> anyhow::Result<Opened<Shipping, dyn ShipmentReads>> {
        let url = of(ServiceName::Shipping);
        Ok(open!(self, boot, shipping, ShippingTables, ShippingDatabase, url))
    }

    /// The notification service's.
    pub async fn notification(
        &self,
        boot: &Boot,
    ) -> anyhow::Result<Opened<NotificationService, dyn NotificationReads>> {
        let url = of(ServiceName::Notification);
        Ok(open!(self, boot, notification, NotificationTables, NotificationDatabase, url))
    }

    /// The audit service's.
    pub async fn audit(&self, boot: &Boot) -> anyhow::Result<Opened<AuditService, dyn AuditReads>> {
        Ok(open!(self, boot, audit, AuditTables, AuditDatabase, of(ServiceName::Audit)))
    }
}
