//! The shipping service's table: one shipment an order.

use crate::columns::{self, column, number, time};
use crate::database::Database;
use crate::error::Error;
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_actors::shipping::ShipmentReads;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::reconciliation::{Record, ShipmentRecord, Span};
use ordermill_domain::shipping::{Shipment, Shipping, Writes};
use ordermill_rows::shipping::{StoredShipment, address, priority};
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use std::collections::{BTreeMap, BTreeSet};

/// The service's schema.
pub const SCHEMA: &str = "shipping";

/// The shipping service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres/shipping");

#[async_trait]
impl Tables for Shipping {
    async fn load(
        conn: &mut PgConnection,
        keys: &BTreeSet<OrderId>,
    ) -> Result<BTreeMap<OrderId, Shipment>, Error> {
        let keys: Vec<_> = keys.iter().map(|order| order.0).collect();
        let rows = sqlx::query_as!(
            StoredShipment::<Timestamp>,
            "SELECT order_id, status, decided_at, reason, tracking_code, freight_minor, currency,
                    estimated_delivery, units, priority, address, dispatched_at
             FROM shipments WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE",
            &keys
        )
        .fetch_all(conn)
        .await?;
        let rows = rows.into_iter().map(|row| row.shipment().map(|row| (row.order_id, row)));
        Ok(rows.collect::<Result<_, _>>()?)
    }

    async fn write(conn: &mut PgConnection, writes: &Writes, _at: Timestamp) -> Result<(), Error> {
        insert(conn, &writes.inserts).await?;
        update(conn, &writes.updates).await
    }
}

async fn insert(conn: &mut PgConnection, shipments: &[Shipment]) -> Result<(), Error> {
    let parcels = column(shipments, |shipment| shipment.state.parcel());
    let statement = sqlx::query!(
        "INSERT INTO shipments (order_id, status, decided_at, reason, tracking_code, freight_minor,
                                currency, estimated_delivery, units, priority, address,
                                dispatched_at)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[],
                              $6::bigint[], $7::text[], $8::timestamptz[], $9::bigint[],
                              $10::text[], $11::text[], $12::timestamptz[])",
        &column(shipments, |shipment| shipment.order_id.0),
        &column(shipments, |shipment| shipment.state.status().as_str()) as _,
        &column(shipments, |shipment| time(shipment.decided_at)),
        &column(shipments, |shipment| Some(shipment.state.refusal()?.reason.as_str())) as _,
        &column(&parcels, |parcel| Some((*parcel)?.scheduled.tracking_code.as_str())) as _,
        &column(&parcels, |parcel| Some((*parcel)?.scheduled.freight.minor)) as _,
        &column(&parcels, |parcel| Some((*parcel)?.scheduled.freight.currency.code())) as _,
        &column(&parcels, |parcel| Some(time((*parcel)?.scheduled.estimated_delivery))) as _,
        &column(&parcels, |parcel| Some(number((*parcel)?.units))) as _,
        &column(&parcels, |parcel| Some(priority((*parcel)?.priority))) as _,
        &column(&parcels, |parcel| (*parcel)?.address.as_ref().map(address)) as _,
        &column(shipments, |shipment| shipment.dispatched_at().map(time)) as _
    );
    columns::insert(conn, shipments.len(), statement).await
}

/// A parcel never changes: only what became of it does.
async fn update(conn: &mut PgConnection, shipments: &[Shipment]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "UPDATE shipments
         SET status = v.status, decided_at = v.decided_at, dispatched_at = v.dispatched_at
         FROM UNNEST($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])
              AS v (order_id, status, decided_at, dispatched_at)
         WHERE shipments.order_id = v.order_id",
        &column(shipments, |shipment| shipment.order_id.0),
        &column(shipments, |shipment| shipment.state.status().as_str()) as _,
        &column(shipments, |shipment| time(shipment.decided_at)),
        &column(shipments, |shipment| shipment.dispatched_at().map(time)) as _
    );
    columns::update(conn, "shipment", shipments.len(), statement).await
}

/// The shipping service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct ShippingDatabase(pub Database);

#[async_trait]
impl ShipmentReads for ShippingDatabase {
    async fn shipment(&self, order: OrderId) -> Result<Option<Shipment>, ReadError> {
        let query = sqlx::query_as!(
            StoredShipment::<Timestamp>,
            "SELECT order_id, status, decided_at, reason, tracking_code, freight_minor,
                    currency, estimated_delivery, units, priority, address, dispatched_at
             FROM shipments WHERE order_id = $1",
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
            StoredShipment::<Timestamp>,
            "SELECT order_id, status, decided_at, reason, tracking_code,
                    freight_minor, currency, estimated_delivery, units, priority, address,
                    dispatched_at
             FROM shipments WHERE order_id > $1 AND order_id <= $2
             ORDER BY order_id LIMIT $3",
            after.0,
            until.0,
            i64::from(limit)
        );
        self.0.rows(query, |row| Ok(row.record())).await
    }
}
