//! Opens the databases of the services that run here: SQLite files, or schemas on PostgreSQL.
//!
//! A process that ends in good order closes its SQLite files: the last connection copies the write-ahead
//! log into the file and deletes it. The `.db` files alone are then the whole shop.

use crate::app::boot::{Boot, NotReady};
use crate::backup::Backups;
use crate::config::{Config, Infrastructure, Secret, Servers};
use anyhow::{anyhow, bail};
use futures::future::join_all;
use ordermill_actors::audit::AuditReads;
use ordermill_actors::gateway::GatewayReads;
use ordermill_actors::inventory::InventoryReads;
use ordermill_actors::notification::NotificationReads;
use ordermill_actors::order::{DueOrders, OrderReads};
use ordermill_actors::payment::PaymentReads;
use ordermill_actors::ports::Database;
use ordermill_actors::reconciliation::{OrderRecords, ProductRecords};
use ordermill_actors::shipping::ShipmentReads;
use ordermill_domain::audit::AuditService;
use ordermill_domain::clock::World;
use ordermill_domain::gateway::SimulatedGateway;
use ordermill_domain::ids::ServiceName;
use ordermill_domain::inventory::Inventory;
use ordermill_domain::notification::NotificationService;
use ordermill_domain::order::Order;
use ordermill_domain::payment::PaymentService;
use ordermill_domain::reconciliation::{
    AuditRecord, LedgerRecord, NotificationRecord, OrderRecord, PaymentRecord, ReservationRecord,
    ShipmentRecord,
};
use ordermill_domain::shipping::Shipping;
use ordermill_sqlite::{DataDir, Database as SqliteDatabase, progress};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A service's database: for its runtime, and for whoever only looks.
pub struct Opened<S, R: ?Sized> {
    /// What its journal and relay work on.
    pub store: Arc<dyn Database<S>>,
    /// What is read of it.
    pub reads: Arc<R>,
    /// Which installation it belongs to. None: nobody else can reach it.
    pub identity: Option<Uuid>,
}

/// What is asked of one and the same database, by whom ever: the API, a sweeper, the reconciliation.
macro_rules! databases {
    ($($(#[$doc:meta])* $name:ident: $($asked:path),+;)*) => {
        $($(#[$doc])*
        pub trait $name: $($asked +)+ {}

        impl<T: $($asked +)+> $name for T {})*
    };
}

databases! {
    /// What is asked of the order service's.
    OrderDatabase: OrderReads, DueOrders, OrderRecords<OrderRecord>;
    /// What is asked of the inventory service's.
    InventoryDatabase: InventoryReads, OrderRecords<ReservationRecord>, ProductRecords;
    /// What is asked of the payment service's.
    PaymentDatabase: PaymentReads, OrderRecords<PaymentRecord>;
    /// What is asked of the simulated gateway's.
    GatewayDatabase: GatewayReads, OrderRecords<LedgerRecord>;
    /// What is asked of the shipping service's.
    ShippingDatabase: ShipmentReads, OrderRecords<ShipmentRecord>;
    /// What is asked of the notification service's.
    NotificationDatabase: NotificationReads, OrderRecords<NotificationRecord>;
    /// What is asked of the audit service's.
    AuditDatabase: AuditReads, OrderRecords<AuditRecord>;
}

/// The names of the databases in a data directory: each is a file, `<name>.db`.
pub const FILES: [&str; 7] =
    ["order", "inventory", "payment", "gateway", "shipping", "notification", "audit"];

/// Where the databases are.
pub enum Databases {
    /// Files under a directory that nobody else uses meanwhile.
    Sqlite {
        /// Where.
        directory: DataDir,
        /// Those that are open.
        opened: Mutex<Vec<SqliteDatabase>>,
    },
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
    ($self:ident, $boot:ident, $name:ident, $reads:ident, $url:expr) => {{
        let name = stringify!($name);
        match $self {
            Self::Sqlite { directory, opened } => {
                use ordermill_sqlite::{Database, $name};
                let database = Database::open(directory, name, &$name::MIGRATIONS)
                    .await
                    .map_err(|error| anyhow!(error).context(failed(name)))?;
                opened.lock().unwrap_or_else(PoisonError::into_inner).push(database.clone());
                Opened {
                    store: Arc::new(database.clone()),
                    reads: Arc::new($name::$reads(database)),
                    identity: None,
                }
            }
            Self::Postgres { servers, owner } => {
                use ordermill_postgres::{Database, $name};
                let url = $url(&**servers)
                    .ok_or_else(|| anyhow!("no URL is set for the {name} database"))?;
                let open = async || {
                    Database::open(Secret::expose(url), $name::SCHEMA, &$name::MIGRATIONS, *owner)
                        .await
                        .map_err(|error| match error.may_pass() {
                            true => NotReady::Again(anyhow!(error)),
                            false => NotReady::Never(anyhow!(error).context(failed(name))),
                        })
                };
                let database = $boot.wait_for(&format!("the {name} database"), open).await?;
                Opened {
                    store: Arc::new(database.clone()),
                    identity: Some(database.identity()),
                    reads: Arc::new($name::$reads(database)),
                }
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
            Infrastructure::Embedded => Self::Sqlite {
                directory: DataDir::open(&config.data_dir)?,
                opened: Mutex::default(),
            },
            Infrastructure::Servers(servers) => Self::Postgres { servers: servers.clone(), owner },
        })
    }

    /// Checks that the files of a data directory are of one moment, before any of them is made. True when they are not
    /// and that is accepted.
    pub async fn are_mixed(&self, accept: bool) -> anyhow::Result<bool> {
        let Self::Sqlite { directory, .. } = self else { return Ok(false) };
        let Some(mixed) = progress::compare_files(directory, &FILES).await? else {
            return Ok(false);
        };
        if !accept {
            bail!(mixed);
        }
        tracing::warn!(%mixed, "starting with files from different points in time");
        Ok(true)
    }

    /// Treats the files, which are all open, as being of one moment from now on.
    pub async fn accept_mixed(&self) -> anyhow::Result<()> {
        let Self::Sqlite { opened, .. } = self else { return Ok(()) };
        let opened = opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(progress::accept(&opened).await?)
    }

    /// Takes backups of all that is open by now; None: the data are on servers.
    pub fn backups(&self, world: &World, stop: &CancellationToken) -> Option<Backups> {
        let Self::Sqlite { opened, .. } = self else { return None };
        let opened = opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(Backups::of(opened, world.clone(), stop.clone()))
    }

    /// Writes down where this process serves, for commands that find the data directory in use.
    pub fn serve_at(&self, url: &str) {
        let Self::Sqlite { directory, .. } = self else { return };
        if let Err(error) = directory.serves_at(url) {
            tracing::warn!(%error, "writing the server URL to the lock file of the data directory failed");
        }
    }

    /// Closes the SQLite files, once nothing writes to them any more. PostgreSQL needs no such care: what is
    /// committed there is its own.
    pub async fn close(&self, within: Duration) {
        let Self::Sqlite { opened, .. } = self else { return };
        let opened = std::mem::take(&mut *opened.lock().unwrap_or_else(PoisonError::into_inner));
        let closing = join_all(opened.iter().map(SqliteDatabase::close));
        if tokio::time::timeout(within, closing).await.is_err() {
            tracing::warn!(
                "a database still has readers: its `-wal` file remains and belongs to its `.db` file"
            );
        }
    }

    /// The order service's.
    pub async fn order(&self, boot: &Boot) -> anyhow::Result<Opened<Order, dyn OrderDatabase>> {
        Ok(open!(self, boot, order, OrderDatabase, of(ServiceName::Order)))
    }

    /// The inventory service's.
    pub async fn inventory(
        &self,
        boot: &Boot,
    ) -> anyhow::Result<Opened<Inventory, dyn InventoryDatabase>> {
        let url = of(ServiceName::Inventory);
        Ok(open!(self, boot, inventory, InventoryDatabase, url))
    }

    /// The simulated gateway's.
    pub async fn gateway(
        &self,
        boot: &Boot,
    ) -> anyhow::Result<Opened<SimulatedGateway, dyn GatewayDatabase>> {
        Ok(open!(self, boot, gateway, GatewayDatabase, Servers::gateway))
    }

    /// The payment service's.
    pub async fn payment(
        &self,
        boot: &Boot,
    ) -> anyhow::Result<Opened<PaymentService, dyn PaymentDatabase>> {
        let url = of(ServiceName::Payment);
        Ok(open!(self, boot, payment, PaymentDatabase, url))
    }

    /// The shipping service's.
    pub async fn shipping(
        &self,
        boot: &Boot,
    ) -> anyhow::Result<Opened<Shipping, dyn ShippingDatabase>> {
        let url = of(ServiceName::Shipping);
        Ok(open!(self, boot, shipping, ShippingDatabase, url))
    }

    /// The notification service's.
    pub async fn notification(
        &self,
        boot: &Boot,
    ) -> anyhow::Result<Opened<NotificationService, dyn NotificationDatabase>> {
        let url = of(ServiceName::Notification);
        Ok(open!(self, boot, notification, NotificationDatabase, url))
    }

    /// The audit service's.
    pub async fn audit(
        &self,
        boot: &Boot,
    ) -> anyhow::Result<Opened<AuditService, dyn AuditDatabase>> {
        Ok(open!(self, boot, audit, AuditDatabase, of(ServiceName::Audit)))
    }
}
