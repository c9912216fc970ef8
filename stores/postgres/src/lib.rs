//! Ordermill's stores on PostgreSQL: one schema a service, one transaction a journal batch.
//!
//! # How a service gets its tables
//!
//! 1. Its migrations stand in `migrations/postgres/<service>/`, numbered from 301 on (201 to 299
//!    are the common ones: `outbox`, `dead_letters`). Names are without a schema: each connection has the
//!    service's as its search path. Table names are distinct among all services, because
//!    `scripts/sqlx-prepare` puts them into one development database.
//! 2. [`Tables`] is implemented for the service in `<service>.rs`: `load` locks the rows of the keys
//!    in the order of the keys and reads them, `write` writes rows. `store.rs` is everything around
//!    them. [`shipping`] is an example.
//! 3. Its read port is implemented on a struct that holds a [`Database`], with [`Database::rows`] and
//!    [`Database::row`]; statements that write but are no change of an entity (a sweeper's claim) use
//!    [`Database::execute`] or [`Database::write`].
//! 4. It gets a line in `services!`, below.
//! 5. After changing SQL: `scripts/sqlx-prepare`, and commit `.sqlx` with the code.
//!
//! ```ignore
//! let database = Database::open(url, shipping::SCHEMA, &shipping::MIGRATIONS, owner).await?;
//! let store = Arc::new(database.clone()); // Store<S>, Outbox and DeadLetters
//! let reads = Arc::new(ShippingDatabase(database));
//! ```
//!
//! # How many rows are one statement
//!
//! A list of rows is one array a column ([`columns::column`]), put together by `UNNEST`:
//!
//! ```sql
//! SELECT … WHERE id = ANY($1) ORDER BY id FOR UPDATE;
//! INSERT INTO t (id, x) SELECT * FROM UNNEST($1::uuid[], $2::text[]);
//! UPDATE t SET x = v.x FROM UNNEST($1::uuid[], $2::text[]) AS v (id, x) WHERE t.id = v.id;
//! ```
//!
//! An update in bulk checks (`columns::update`) that it met the rows that it was meant for. What
//! an error means to the journal: [`error`].
//!
//! # Several processes
//!
//! Whatever a decision hangs on is locked before it is read, so READ COMMITTED is enough: who waits
//! for a lock reads the newest row after it. A row that another process has inserted since is a
//! unique violation, and decided again. Each process owns the outbox rows that it writes: see
//! [`database`].
//!
//! A pooler between must pool whole sessions: ours hold locks and settings.

#![forbid(unsafe_code)]

pub mod access;
pub mod audit;
pub mod columns;
pub mod database;
mod dead_letters;
pub mod error;
pub mod gateway;
pub mod inventory;
pub mod notification;
pub mod order;
mod outbox;
pub mod payment;
pub mod shipping;
mod store;

pub use database::{Database, Migrate, OpenError, Unfit};
pub use error::Error;
pub use store::{PgService, Tables};

use ordermill_actors::registry::Opened;
use ordermill_domain::audit::AuditService;
use ordermill_domain::gateway::SimulatedGateway;
use ordermill_domain::inventory::Inventory;
use ordermill_domain::notification::NotificationService;
use ordermill_domain::order::Order;
use ordermill_domain::payment::PaymentService;
use ordermill_domain::shipping::Shipping;
use sqlx::migrate::Migrator;
use std::sync::Arc;

macro_rules! services {
    ($($module:ident: $service:ty, $reads:ident;)*) => {
        $(impl PgService for $service {
            const SCHEMA: &'static str = $module::SCHEMA;
            const MIGRATIONS: &'static Migrator = &$module::MIGRATIONS;

            fn opened(database: Database) -> Opened<Self> {
                let identity = Some(database.identity());
                let store = Arc::new(database.clone());
                let reads = Arc::new($module::$reads(database));
                Opened { store, reads, identity }
            }
        })*

        /// The schemas of all services with their own migrations.
        pub static MIGRATIONS: &[(&str, &Migrator)] =
            &[$(($module::SCHEMA, &$module::MIGRATIONS)),*];
    };
}

services! {
    order: Order, OrderDatabase;
    inventory: Inventory, InventoryDatabase;
    payment: PaymentService, PaymentDatabase;
    gateway: SimulatedGateway, GatewayDatabase;
    shipping: Shipping, ShippingDatabase;
    notification: NotificationService, NotificationDatabase;
    audit: AuditService, AuditDatabase;
}
