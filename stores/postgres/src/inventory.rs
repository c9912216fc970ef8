//! The inventory service's tables: stock, its ledger, and one reservation an order.

mod ledger;
mod read;

pub use read::InventoryDatabase;

use crate::columns::{self, column, number, optional_json_column, time};
use crate::error::Error;
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{Inventory, Keys, ReservationRow, Rows, StockRow, Writes};
use ordermill_rows::inventory::{StoredReservation, StoredStock};
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The service's schema.
pub const SCHEMA: &str = "inventory";

/// The inventory service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres/inventory");

#[async_trait]
impl Tables for Inventory {
    async fn load(conn: &mut PgConnection, keys: &Keys) -> Result<Rows, Error> {
        // Everybody locks the orders first, and then the stock.
        let reservations = load_reservations(conn, &keys.orders).await?;
        let stock = load_stock(conn, &keys.products_with(reservations.values())).await?;
        let adjusted = ledger::load_adjusted(conn, &keys.adjustment_keys).await?;
        Ok(Rows { reservations, stock, adjusted })
    }

    async fn write(conn: &mut PgConnection, writes: &Writes, _at: Timestamp) -> Result<(), Error> {
        insert_stock(conn, &writes.new_stock).await?;
        update_stock(conn, &writes.stock).await?;
        insert_reservations(conn, &writes.new_reservations).await?;
        update_reservations(conn, &writes.reservations).await?;
        ledger::insert_movements(conn, &writes.movements).await?;
        ledger::insert_adjusted(conn, &writes.adjusted).await
    }
}

async fn load_reservations(
    conn: &mut PgConnection,
    orders: &BTreeSet<OrderId>,
) -> Result<BTreeMap<OrderId, ReservationRow>, Error> {
    if orders.is_empty() {
        return Ok(BTreeMap::new());
    }
    let orders: Vec<_> = orders.iter().map(|order| order.0).collect();
    let rows = sqlx::query_as!(
        StoredReservation::<Timestamp>,
        "SELECT order_id, status, lines, refusal, updated_at FROM reservations
         WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE",
        &orders
    )
    .fetch_all(conn)
    .await?;
    let rows = rows.into_iter().map(|row| row.reservation().map(|row| (row.order_id, row)));
    Ok(rows.collect::<Result<_, _>>()?)
}

async fn load_stock(
    conn: &mut PgConnection,
    products: &BTreeSet<ProductId>,
) -> Result<BTreeMap<ProductId, StockRow>, Error> {
    if products.is_empty() {
        return Ok(BTreeMap::new());
    }
    let products: Vec<_> = products.iter().map(ProductId::as_str).collect();
    let rows = sqlx::query_as!(
        StoredStock,
        "SELECT product_id, on_hand, reserved, version FROM stock
         WHERE product_id = ANY($1::text[]) ORDER BY product_id FOR UPDATE",
        &products as _
    )
    .fetch_all(conn)
    .await?;
    let rows = rows.into_iter().map(|row| row.stock().map(|row| (row.product_id.clone(), row)));
    Ok(rows.collect::<Result<_, _>>()?)
}

async fn insert_stock(conn: &mut PgConnection, stock: &[Arc<StockRow>]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "INSERT INTO stock (product_id, on_hand, reserved, version)
         SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])",
        &column(stock, |row| row.product_id.as_str()) as _,
        &column(stock, |row| row.on_hand),
        &column(stock, |row| row.reserved),
        &column(stock, |row| number(row.version))
    );
    columns::insert(conn, stock.len(), statement).await
}

async fn update_stock(conn: &mut PgConnection, stock: &[Arc<StockRow>]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "UPDATE stock SET on_hand = v.on_hand, reserved = v.reserved, version = v.version
         FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
              AS v (product_id, on_hand, reserved, version)
         WHERE stock.product_id = v.product_id",
        &column(stock, |row| row.product_id.as_str()) as _,
        &column(stock, |row| row.on_hand),
        &column(stock, |row| row.reserved),
        &column(stock, |row| number(row.version))
    );
    columns::update(conn, "stock", stock.len(), statement).await
}

async fn insert_reservations(
    conn: &mut PgConnection,
    reservations: &[ReservationRow],
) -> Result<(), Error> {
    let statement = sqlx::query!(
        "INSERT INTO reservations (order_id, status, lines, refusal, updated_at)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])",
        &column(reservations, |row| row.order_id.0),
        &column(reservations, |row| row.reservation.status()) as _,
        &optional_json_column("list of lines", reservations, |row| row.reservation.lines())? as _,
        &optional_json_column("refusal", reservations, |row| row.reservation.refusal())? as _,
        &column(reservations, |row| time(row.updated_at))
    );
    columns::insert(conn, reservations.len(), statement).await
}

/// What an order asked for never changes: only what became of it does.
async fn update_reservations(
    conn: &mut PgConnection,
    reservations: &[ReservationRow],
) -> Result<(), Error> {
    let statement = sqlx::query!(
        "UPDATE reservations SET status = v.status, updated_at = v.updated_at
         FROM UNNEST($1::uuid[], $2::text[], $3::timestamptz[]) AS v (order_id, status, updated_at)
         WHERE reservations.order_id = v.order_id",
        &column(reservations, |row| row.order_id.0),
        &column(reservations, |row| row.reservation.status()) as _,
        &column(reservations, |row| time(row.updated_at))
    );
    columns::update(conn, "reservation", reservations.len(), statement).await
}
