//! The shipping service's table: one shipment an order.

mod records;
mod rows;

use crate::columns::{self, Micros, json_rows};
use crate::database::Database;
use crate::error::Error;
use crate::script::{Script, statement};
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::shipping::ShipmentReads;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::shipping::{Shipment, Shipping, Writes};
use ordermill_rows::shipping::StoredShipment;
use rows::{InsertedShipment, UpdatedShipment};
use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The shipping service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite/shipping");

/// The shipping service's table.
pub struct ShippingTables;

#[async_trait]
impl Tables<Shipping> for ShippingTables {
    async fn load(
        &self,
        conn: &mut SqliteConnection,
        keys: &BTreeSet<OrderId>,
    ) -> Result<BTreeMap<OrderId, Shipment>, Error> {
        let keys = columns::ids(keys.iter().map(|order| order.0));
        let rows = sqlx::query_as!(
            StoredShipment::<Micros>,
            r#"SELECT order_id AS "order_id: Uuid", status, decided_at, reason, tracking_code,
                      freight_minor, currency, estimated_delivery, units, priority, address,
                      dispatched_at
               FROM shipments WHERE order_id IN (SELECT unhex(value) FROM json_each(?1))"#,
            keys
        )
        .fetch_all(conn)
        .await?;
        let rows = rows.into_iter().map(|row| row.shipment().map(|row| (row.order_id, row)));
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn write(&self, script: &mut Script, writes: &Writes, _at: Timestamp) -> Result<(), Error> {
        insert(script, &writes.inserts)?;
        update(script, &writes.updates)
    }
}

fn insert(script: &mut Script, shipments: &[Shipment]) -> Result<(), Error> {
    if shipments.is_empty() {
        return Ok(());
    }
    let rows = json_rows("shipments", shipments.iter().map(InsertedShipment::from))?;
    statement!(
        script,
        "INSERT INTO shipments (order_id, status, decided_at, reason, tracking_code, freight_minor,
                                currency, estimated_delivery, units, priority, address,
                                dispatched_at)
         SELECT unhex(value ->> 'order_id', '-'), value ->> 'status', value ->> 'decided_at',
                value ->> 'reason', value ->> 'tracking_code', value ->> 'freight_minor',
                value ->> 'currency', value ->> 'estimated_delivery', value ->> 'units',
                value ->> 'priority', value ->> 'address', value ->> 'dispatched_at'
         FROM jsonb_each(?)",
        rows
    );
    Ok(())
}

/// A parcel never changes: only what became of it does.
fn update(script: &mut Script, shipments: &[Shipment]) -> Result<(), Error> {
    if shipments.is_empty() {
        return Ok(());
    }
    let rows = json_rows("shipments", shipments.iter().map(UpdatedShipment::from))?;
    statement!(
        script,
        "UPDATE shipments
         SET status = v.value ->> 'status', decided_at = v.value ->> 'decided_at',
             dispatched_at = v.value ->> 'dispatched_at'
         FROM jsonb_each(?) AS v
         WHERE shipments.order_id = unhex(v.value ->> 'order_id', '-')",
        rows
    )
    .must_meet("shipment", shipments.len());
    Ok(())
}

/// The shipping service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct ShippingDatabase(pub Database);

#[async_trait]
impl ShipmentReads for ShippingDatabase {
    async fn shipment(&self, order: OrderId) -> Result<Option<Shipment>, ReadError> {
        let read = self.0.read(move |pool| async move {
            let row = sqlx::query_as!(
                StoredShipment::<Micros>,
                r#"SELECT order_id AS "order_id: Uuid", status, decided_at, reason, tracking_code,
                          freight_minor, currency, estimated_delivery, units, priority, address,
                          dispatched_at
                   FROM shipments WHERE order_id = ?1"#,
                order.0
            )
            .fetch_optional(&pool)
            .await?;
            Ok(row.map(StoredShipment::shipment).transpose()?)
        });
        read.await
    }
}
