//! Ordermill's stores on SQLite: one file a service, one transaction a journal batch.
//!
//! # How a service gets its tables
//!
//! 1. Its migrations stand in `migrations/sqlite/<service>/`, numbered from 301 on (201 to 299 are
//!    the common ones: `outbox`, `dead_letters`). Table names are distinct among all services, because
//!    `scripts/sqlx-prepare` puts them into one development database.
//! 2. [`Tables`] is implemented for the service in `<service>.rs`: `load` reads the rows of the keys,
//!    `write` says how rows are written, as statements of one [`Script`]. `store.rs` is everything
//!    around them. [`shipping`] is an example.
//! 3. Its read port is implemented on a struct that holds a [`Database`], with [`Database::rows`] and
//!    [`Database::row`]; statements that write but are no change of an entity (a sweeper's claim) use
//!    [`Database::execute`] or [`Database::write`].
//! 4. It gets a line in `services!`, below.
//! 5. After changing SQL: `scripts/sqlx-prepare`, and commit `.sqlx` with the code.
//!
//! ```ignore
//! let directory = DataDir::open("./data")?;
//! let database = Database::open(&directory, "shipping", &shipping::MIGRATIONS).await?;
//! let store = Arc::new(database.clone()); // Store<S>, Outbox and DeadLetters
//! let reads = Arc::new(ShippingDatabase(database));
//! ```
//!
//! # How many rows are one statement
//!
//! A list of rows is one JSON parameter and `jsonb_each` (measured: 5 µs for a row of `orders`, where
//! `json_each`, which writes each element as text and parses it again, takes 20 and a statement a row
//! more). A list of single values has nothing to parse again: `json_each`. How identifiers, times and
//! numbers stand in it: [`columns`]. `value ->> 'name'` is text or a number, `value -> 'name'` is JSON text:
//!
//! ```sql
//! SELECT … WHERE id IN (SELECT unhex(value) FROM json_each(?1));
//! INSERT INTO t (id, x) SELECT unhex(value ->> 'id', '-'), value ->> 'x' FROM jsonb_each(?);
//! UPDATE t SET x = v.value ->> 'x' FROM jsonb_each(?) AS v WHERE t.id = unhex(v.value ->> 'id', '-');
//! ```
//!
//! An update in bulk checks ([`Script::update`]) that it met the rows that it was meant for. What
//! an error means to the journal: [`error`].

#![forbid(unsafe_code)]

pub mod access;
pub mod audit;
pub mod columns;
pub mod data_dir;
pub mod database;
mod dead_letters;
pub mod error;
pub mod gateway;
pub mod inventory;
pub mod notification;
pub mod order;
mod outbox;
pub mod payment;
pub mod progress;
mod script;
pub mod shipping;
pub mod snapshot;
mod store;

pub use data_dir::{DataDir, DataDirError, Holder};
pub use database::{Database, OpenError};
pub use error::Error;
pub use script::Script;
pub use store::{SqliteService, Tables};

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
        $(impl SqliteService for $service {
            const MIGRATIONS: &'static Migrator = &$module::MIGRATIONS;

            fn opened(database: Database) -> Opened<Self> {
                let store = Arc::new(database.clone());
                let reads = Arc::new($module::$reads(database));
                Opened { store, reads, identity: None }
            }
        })*

        /// The files of all services with their own migrations.
        pub static MIGRATIONS: &[(&str, &Migrator)] =
            &[$((stringify!($module), &$module::MIGRATIONS)),*];
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
