//! The shipping service's table: one shipment an order.

mod rows;

use crate::columns::{self, Micros};
use crate::database::Database;
use crate::error::Error;
use crate::script::{Script, checked};
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_actors::shipping::ShipmentReads;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::reconciliation::{Record, ShipmentRecord, Span};
use ordermill_domain::shipping::{Shipment, Shipping, Writes};
use ordermill_rows::shipping::StoredShipment;
use rows::{InsertedShipment, UpdatedShipment};
use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The shipping service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite/shipping");

#[async_trait]
impl Tables for Shipping {
    async fn load(
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

    fn write(script: &mut Script, writes: &Writes, _at: Timestamp) -> Result<(), Error> {
        insert(script, &writes.inserts)?;
        update(script, &writes.updates)
    }
}

fn insert(script: &mut Script, shipments: &[Shipment]) -> Result<(), Error> {
    let sql = checked!(
        "INSERT INTO shipments (order_id, status, decided_at, reason, tracking_code, freight_minor,
                                currency, estimated_delivery, units, priority, address,
                                dispatched_at)
         SELECT unhex(value ->> 'order_id', '-'), value ->> 'status', value ->> 'decided_at',
                value ->> 'reason', value ->> 'tracking_code', value ->> 'freight_minor',
                value ->> 'currency', value ->> 'estimated_delivery', value ->> 'units',
                value ->> 'priority', value ->> 'address', value ->> 'dispatched_at'
         FROM jsonb_each(?)"
    );
    script.insert("shipment", shipments.iter().map(InsertedShipment::from), sql)
}

/// A parcel never changes: only what became of it does.
fn update(script: &mut Script, shipments: &[Shipment]) -> Result<(), Error> {
    let sql = checked!(
        "UPDATE shipments
         SET status = v.value ->> 'status', decided_at = v.value ->> 'decided_at',
             dispatched_at = v.value ->> 'dispatched_at'
         FROM jsonb_each(?) AS v
         WHERE shipments.order_id = unhex(v.value ->> 'order_id', '-')"
    );
    script.update("shipment", shipments.iter().map(UpdatedShipment::from), sql)
}

/// The shipping service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct ShippingDatabase(pub Database);

#[async_trait]
impl ShipmentReads for ShippingDatabase {
    async fn shipment(&self, order: OrderId) -> Result<Option<Shipment>, ReadError> {
        let query = sqlx::query_as!(
            StoredShipment::<Micros>,
            r#"SELECT order_id AS "order_id: Uuid", status, decided_at, reason, tracking_code,
                      freight_minor, currency, estimated_delivery, units, priority, address,
                      dispatched_at
               FROM shipments WHERE order_id = ?1"#,
            order.0
        );
        self.0.row(query, StoredShipment::shipment).await
    }
}

#[async_trait]
impl OrderRecords<ShipmentRecord> for ShippingDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<ShipmentRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let query = sqlx::query_as!(
            StoredShipment::<Micros>,
            r#"SELECT order_id AS "order_id: Uuid", status, decided_at, reason, tracking_code,
                      freight_minor, currency, estimated_delivery, units, priority, address,
                      dispatched_at
               FROM shipments WHERE order_id > ?1 AND order_id <= ?2
               ORDER BY order_id LIMIT ?3"#,
            after.0,
            until.0,
            limit
        );
        self.0.rows(query, |row| Ok(row.record())).await
    }
}
