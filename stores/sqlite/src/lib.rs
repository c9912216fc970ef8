//! Ordermill's stores on SQLite: one file a service, one transaction a journal batch.
//!
//! # How a service gets its tables
//!
//! 1. Its migrations stand in `migrations/sqlite/<service>/`, numbered from 101 on (1 to 99 are the
//!    common ones: `outbox`, `dead_letters`). Table names are distinct among all services, because
//!    `scripts/sqlx-prepare` puts them into one development database.
//! 2. A unit struct in `<service>.rs` implements [`Tables`]: `load` reads the rows of the keys, `write`
//!    writes rows. Everything around them is in [`SqliteStore`].
//! 3. Its read port is implemented on a struct that holds a [`Database`], with [`Database::read`];
//!    statements that write but are no change of an entity (a sweeper's claim) use
//!    [`Database::write`].
//! 4. After changing SQL: `scripts/sqlx-prepare`, and commit `.sqlx` with the code.
//!
//! ```ignore
//! static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite/shipping");
//!
//! pub struct ShippingTables;
//!
//! #[async_trait]
//! impl Tables<Shipping> for ShippingTables {
//!     async fn load(&self, conn: &mut SqliteConnection, keys: &Keys) -> Result<Rows, Error> {
//!         let keys = columns::ids(keys.iter().map(|order| order.0));
//!         let rows = sqlx::query!(
//!             r#"SELECT order_id AS "order_id: Uuid", status FROM shipments
//!                WHERE order_id IN (SELECT unhex(value) FROM json_each(?1))"#,
//!             keys
//!         )
//!         .fetch_all(conn)
//!         .await?;
//!         …
//!     }
//!
//!     async fn write(&self, conn: &mut SqliteConnection, writes: &Writes, at: Timestamp) -> Result<(), Error> {
//!         // One JSON parameter and `json_each`: a statement a table, not a statement a row.
//!         let rows = serde_json::to_string(&rows).map_err(Error::corrupt("shipment"))?;
//!         sqlx::query!(
//!             "INSERT INTO shipments (order_id, status)
//!              SELECT unhex(value ->> 'order_id', '-'), value ->> 'status' FROM json_each(?1)",
//!             rows
//!         )
//!         .execute(conn)
//!         .await?;
//!         Ok(())
//!     }
//! }
//!
//! let directory = DataDir::open("./data")?;
//! let database = Database::open(&directory, "shipping", &MIGRATIONS).await?;
//! let store = Arc::new(SqliteStore::new(database.clone(), ShippingTables)); // Store<S> and Outbox
//! ```
//!
//! How identifiers, times and numbers stand in columns and parameters: [`columns`]. What an error
//! means: [`error`]. `value ->> 'name'` is text or a number, `value -> 'name'` is JSON text. An update
//! in bulk is `UPDATE t SET x = v.value ->> 'x' FROM json_each(?1) AS v WHERE t.id = unhex(v.value ->>
//! 'id', '-')`; let `changes()` (`rows_affected`) be compared with the number of rows meant.

pub mod columns;
pub mod data_dir;
pub mod database;
mod dead_letters;
pub mod error;
pub mod gateway;
pub mod inventory;
pub mod order;
mod outbox;
pub mod payment;
pub mod shipping;
mod store;

pub use data_dir::{DataDir, DataDirError};
pub use database::{Database, OpenError};
pub use error::Error;
pub use store::{SqliteStore, Tables};
