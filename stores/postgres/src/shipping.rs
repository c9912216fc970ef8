//! The shipping service's table: one shipment an order.

mod records;

use crate::columns::{column, number, time};
use crate::database::Database;
use crate::error::Error;
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::shipping::ShipmentReads;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::shipping::{Shipment, Shipping, Writes};
use ordermill_rows::all_met;
use ordermill_rows::shipping::{StoredShipment, address, priority};
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use std::collections::{BTreeMap, BTreeSet};

/// The service's schema.
pub const SCHEMA: &str = "shipping";

/// The shipping service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres/shipping");

/// The shipping service's table.
pub struct ShippingTables;

#[async_trait]
impl Tables<Shipping> for ShippingTables {
    async fn load(
        &self,
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

    async fn write(
        &self,
        conn: &mut PgConnection,
        writes: &Writes,
        _at: Timestamp,
    ) -> Result<(), Error> {
        insert(conn, &writes.inserts).await?;
        update(conn, &writes.updates).await
    }
}

async fn insert(conn: &mut PgConnection, shipments: &[Shipment]) -> Result<(), Error> {
    if shipments.is_empty() {
        return Ok(());
    }
    let parcels = column(shipments, |shipment| shipment.state.parcel());
    sqlx::query!(
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
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A parcel never changes: only what became of it does.
async fn update(conn: &mut PgConnection, shipments: &[Shipment]) -> Result<(), Error> {
    if shipments.is_empty() {
        return Ok(());
    }
    let met = sqlx::query!(
        "UPDATE shipments
         SET status = v.status, decided_at = v.decided_at, dispatched_at = v.dispatched_at
         FROM UNNEST($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])
              AS v (order_id, status, decided_at, dispatched_at)
         WHERE shipments.order_id = v.order_id",
        &column(shipments, |shipment| shipment.order_id.0),
        &column(shipments, |shipment| shipment.state.status().as_str()) as _,
        &column(shipments, |shipment| time(shipment.decided_at)),
        &column(shipments, |shipment| shipment.dispatched_at().map(time)) as _
    )
    .execute(conn)
    .await?
    .rows_affected();
    Ok(all_met("shipment", met, shipments.len())?)
}

/// The shipping service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct ShippingDatabase(pub Database);

#[async_trait]
impl ShipmentReads for ShippingDatabase {
    async fn shipment(&self, order: OrderId) -> Result<Option<Shipment>, ReadError> {
        let read = self.0.read(move |pool| async move {
            let row = sqlx::query_as!(
                StoredShipment::<Timestamp>,
                "SELECT order_id, status, decided_at, reason, tracking_code, freight_minor,
                        currency, estimated_delivery, units, priority, address, dispatched_at
                 FROM shipments WHERE order_id = $1",
                order.0
            )
            .fetch_optional(&pool)
            .await?;
            Ok(row.map(StoredShipment::shipment).transpose()?)
        });
        read.await
    }
}
