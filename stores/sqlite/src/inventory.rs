//! The inventory service's tables: stock, its ledger, and one reservation an order.

mod ledger;
mod read;
mod rows;

pub use read::InventoryDatabase;

use crate::columns::{self, Micros};
use crate::error::Error;
use crate::script::{Script, checked};
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{Inventory, Keys, ReservationRow, Rows, StockRow, Writes};
use ordermill_rows::inventory::{StoredReservation, StoredStock};
use ordermill_rows::to_json;
use rows::{InsertedReservation, UpdatedReservation, WrittenStock};
use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// The inventory service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite/inventory");

#[async_trait]
impl Tables for Inventory {
    async fn load(conn: &mut SqliteConnection, keys: &Keys) -> Result<Rows, Error> {
        let reservations = load_reservations(conn, &keys.orders).await?;
        let stock = load_stock(conn, &keys.products_with(reservations.values())).await?;
        let adjusted = ledger::load_adjusted(conn, &keys.adjustment_keys).await?;
        Ok(Rows { reservations, stock, adjusted })
    }

    fn write(script: &mut Script, writes: &Writes, _at: Timestamp) -> Result<(), Error> {
        insert_stock(script, &writes.new_stock)?;
        update_stock(script, &writes.stock)?;
        insert_reservations(script, &writes.new_reservations)?;
        update_reservations(script, &writes.reservations)?;
        ledger::insert_movements(script, &writes.movements)?;
        ledger::insert_adjusted(script, &writes.adjusted)
    }
}

async fn load_reservations(
    conn: &mut SqliteConnection,
    orders: &BTreeSet<OrderId>,
) -> Result<BTreeMap<OrderId, ReservationRow>, Error> {
    if orders.is_empty() {
        return Ok(BTreeMap::new());
    }
    let orders = columns::ids(orders.iter().map(|order| order.0));
    let rows = sqlx::query_as!(
        StoredReservation::<Micros>,
        r#"SELECT order_id AS "order_id: Uuid", status, lines, refusal, updated_at
           FROM reservations WHERE order_id IN (SELECT unhex(value) FROM json_each(?1))"#,
        orders
    )
    .fetch_all(conn)
    .await?;
    let rows = rows.into_iter().map(|row| row.reservation().map(|row| (row.order_id, row)));
    Ok(rows.collect::<Result<_, _>>()?)
}

async fn load_stock(
    conn: &mut SqliteConnection,
    products: &BTreeSet<ProductId>,
) -> Result<BTreeMap<ProductId, StockRow>, Error> {
    if products.is_empty() {
        return Ok(BTreeMap::new());
    }
    let products = to_json("product ids", products)?;
    let rows = sqlx::query_as!(
        StoredStock,
        "SELECT product_id, on_hand, reserved, version
         FROM stock WHERE product_id IN (SELECT value FROM json_each(?1))",
        products
    )
    .fetch_all(conn)
    .await?;
    let rows = rows.into_iter().map(|row| row.stock().map(|row| (row.product_id.clone(), row)));
    Ok(rows.collect::<Result<_, _>>()?)
}

fn insert_stock(script: &mut Script, stock: &[Arc<StockRow>]) -> Result<(), Error> {
    let sql = checked!(
        "INSERT INTO stock (product_id, on_hand, reserved, version)
         SELECT value ->> 'product_id', value ->> 'on_hand', value ->> 'reserved',
                value ->> 'version'
         FROM jsonb_each(?)"
    );
    script.insert("stock", stock.iter().map(WrittenStock::from), sql)
}

fn update_stock(script: &mut Script, stock: &[Arc<StockRow>]) -> Result<(), Error> {
    let sql = checked!(
        "UPDATE stock
         SET on_hand = v.value ->> 'on_hand', reserved = v.value ->> 'reserved',
             version = v.value ->> 'version'
         FROM jsonb_each(?) AS v
         WHERE stock.product_id = v.value ->> 'product_id'"
    );
    script.update("stock", stock.iter().map(WrittenStock::from), sql)
}

fn insert_reservations(script: &mut Script, reservations: &[ReservationRow]) -> Result<(), Error> {
    let sql = checked!(
        "INSERT INTO reservations (order_id, status, lines, refusal, updated_at)
         SELECT unhex(value ->> 'order_id', '-'), value ->> 'status', value ->> 'lines',
                value ->> 'refusal', value ->> 'updated_at'
         FROM jsonb_each(?)"
    );
    script.insert("reservation", reservations.iter().map(InsertedReservation::from), sql)
}

/// What an order asked for never changes: only what became of it does.
fn update_reservations(script: &mut Script, reservations: &[ReservationRow]) -> Result<(), Error> {
    let sql = checked!(
        "UPDATE reservations
         SET status = v.value ->> 'status', updated_at = v.value ->> 'updated_at'
         FROM jsonb_each(?) AS v
         WHERE reservations.order_id = unhex(v.value ->> 'order_id', '-')"
    );
    script.update("reservation", reservations.iter().map(UpdatedReservation::from), sql)
}
