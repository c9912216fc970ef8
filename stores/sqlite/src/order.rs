//! The order service's tables: orders, their sagas, history, idempotency keys.

mod read;
mod write;

pub use read::OrderDatabase;

use crate::columns;
use crate::error::Error;
use crate::script::Script;
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::order::service::{Keys, Rows, Writes};
use ordermill_domain::order::{Claim, Order};
use ordermill_rows::order::StoredClaim;
use ordermill_rows::{count, to_json};
use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;
use uuid::Uuid;

/// The order service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite/order");

#[async_trait]
impl Tables for Order {
    async fn load(conn: &mut SqliteConnection, keys: &Keys) -> Result<Rows, Error> {
        let mut rows = Rows::default();
        let orders = columns::ids(keys.orders.iter().map(|order| order.0));
        let found = sqlx::query!(
            r#"SELECT order_id AS "order_id: Uuid", version
               FROM sagas WHERE order_id IN (SELECT unhex(value) FROM json_each(?1))"#,
            orders
        )
        .fetch_all(&mut *conn)
        .await?;
        for row in found {
            rows.versions.insert(OrderId(row.order_id), count(row.version)?);
        }
        if keys.claims.is_empty() {
            return Ok(rows);
        }
        let claims = to_json("idempotency keys", &keys.claims)?;
        let found = sqlx::query_as!(
            StoredClaim,
            r#"SELECT key, fingerprint, order_id AS "order_id: Uuid"
               FROM idempotency_keys WHERE key IN (SELECT value FROM json_each(?1))"#,
            claims
        )
        .fetch_all(&mut *conn)
        .await?;
        rows.claims.extend(found.into_iter().map(|row| (row.key.clone(), Claim::from(row))));
        Ok(rows)
    }

    fn write(script: &mut Script, writes: &Writes, _at: Timestamp) -> Result<(), Error> {
        write::place(script, &writes.inserts)?;
        write::begin(script, &writes.inserts)?;
        write::update(script, &writes.updates)?;
        write::append(script, &writes.history)?;
        write::claim(script, &writes.claims)
    }
}
