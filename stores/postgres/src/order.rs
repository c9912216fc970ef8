//! The order service's tables: orders, their sagas, history, idempotency keys.

mod read;
mod write;

pub use read::OrderDatabase;

use crate::error::Error;
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::order::service::{Keys, Rows, Writes};
use ordermill_domain::order::{Claim, Order};
use ordermill_rows::count;
use ordermill_rows::order::StoredClaim;
use sqlx::PgConnection;
use sqlx::migrate::Migrator;

/// The service's schema: `order` would have to be quoted wherever it is said.
pub const SCHEMA: &str = "orders";

/// The order service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres/order");

#[async_trait]
impl Tables for Order {
    async fn load(conn: &mut PgConnection, keys: &Keys) -> Result<Rows, Error> {
        let mut rows = Rows::default();
        let orders: Vec<_> = keys.orders.iter().map(|order| order.0).collect();
        let found = sqlx::query!(
            "SELECT order_id, version FROM sagas
             WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE",
            &orders
        )
        .fetch_all(&mut *conn)
        .await?;
        for row in found {
            rows.versions.insert(OrderId(row.order_id), count(row.version)?);
        }
        if keys.claims.is_empty() {
            return Ok(rows);
        }
        // They are inserted and forgotten, never changed: there is nothing to lock.
        let claims: Vec<_> = keys.claims.iter().map(String::as_str).collect();
        let found = sqlx::query_as!(
            StoredClaim,
            "SELECT key, fingerprint, order_id FROM idempotency_keys WHERE key = ANY($1::text[])",
            &claims as _
        )
        .fetch_all(&mut *conn)
        .await?;
        rows.claims.extend(found.into_iter().map(|row| (row.key.clone(), Claim::from(row))));
        Ok(rows)
    }

    async fn write(conn: &mut PgConnection, writes: &Writes, _at: Timestamp) -> Result<(), Error> {
        write::place(conn, &writes.inserts).await?;
        write::begin(conn, &writes.inserts).await?;
        write::update(conn, &writes.updates).await?;
        write::append(conn, &writes.history).await?;
        write::claim(conn, &writes.claims).await
    }
}
