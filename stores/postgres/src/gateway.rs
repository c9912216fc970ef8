//! The simulated gateway's ledger.

mod records;

use crate::columns::{self, column, optional_json_column, time};
use crate::database::Database;
use crate::error::Error;
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_actors::gateway::{GatewayReads, Sums, Totals};
use ordermill_actors::ports::ReadError;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::gateway::{Entry, GatewayWrites, SimulatedGateway};
use ordermill_domain::money::Currency;
use ordermill_domain::payment::GatewayKey;
use ordermill_rows::gateway::StoredGatewayEntry;
use ordermill_rows::{corrupt, count};
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use std::collections::HashMap;

/// The gateway's schema.
pub const SCHEMA: &str = "gateway";

/// The gateway's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres/gateway");

#[async_trait]
impl Tables for SimulatedGateway {
    async fn load(
        conn: &mut PgConnection,
        keys: &Vec<GatewayKey>,
    ) -> Result<HashMap<GatewayKey, Entry>, Error> {
        let keys = column(keys, |key| key.0);
        let rows = sqlx::query_as!(
            StoredGatewayEntry::<Timestamp>,
            "SELECT key, status, order_id, currency, amount_minor, method, captured_minor,
                    refunded_minor, transaction_id, charge_attempts, refund_attempts, created_at,
                    changed_at, details
             FROM gateway_ledger WHERE key = ANY($1) ORDER BY key FOR UPDATE",
            &keys
        )
        .fetch_all(conn)
        .await?;
        let entries = rows.into_iter().map(|row| row.entry().map(|entry| (entry.key, entry)));
        Ok(entries.collect::<Result<_, _>>()?)
    }

    async fn write(
        conn: &mut PgConnection,
        writes: &GatewayWrites,
        _at: Timestamp,
    ) -> Result<(), Error> {
        insert(conn, &writes.inserted).await?;
        update(conn, &writes.updated).await
    }
}

async fn insert(conn: &mut PgConnection, entries: &[Entry]) -> Result<(), Error> {
    let bookings = column(entries, |entry| entry.booking.as_ref());
    let statement = sqlx::query!(
        "INSERT INTO gateway_ledger (key, status, order_id, currency, amount_minor, method,
                                     captured_minor, refunded_minor, transaction_id,
                                     charge_attempts, refund_attempts, created_at, changed_at,
                                     details)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[],
                              $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::bigint[],
                              $11::bigint[], $12::timestamptz[], $13::timestamptz[], $14::text[])",
        &column(entries, |entry| entry.key.0),
        &column(entries, |entry| entry.status.as_str()) as _,
        &column(&bookings, |booking| Some((*booking)?.order_id.0)) as _,
        &column(&bookings, |booking| Some((*booking)?.amount.currency.code())) as _,
        &column(&bookings, |booking| Some((*booking)?.amount.minor)) as _,
        &column(&bookings, |booking| Some((*booking)?.method.as_str())) as _,
        &column(entries, |entry| entry.captured_minor),
        &column(entries, |entry| entry.refunded_minor),
        &column(entries, |entry| entry.transaction_id.as_deref()) as _,
        &column(entries, |entry| i64::from(entry.charge_attempts)),
        &column(entries, |entry| i64::from(entry.refund_attempts)),
        &column(entries, |entry| time(entry.created_at)),
        &column(entries, |entry| time(entry.changed_at)),
        &details(entries)? as _
    );
    columns::insert(conn, entries.len(), statement).await
}

async fn update(conn: &mut PgConnection, entries: &[Entry]) -> Result<(), Error> {
    let bookings = column(entries, |entry| entry.booking.as_ref());
    let statement = sqlx::query!(
        "UPDATE gateway_ledger
         SET status = v.status, order_id = v.order_id, currency = v.currency,
             amount_minor = v.amount_minor, method = v.method, captured_minor = v.captured_minor,
             refunded_minor = v.refunded_minor, transaction_id = v.transaction_id,
             charge_attempts = v.charge_attempts, refund_attempts = v.refund_attempts,
             changed_at = v.changed_at, details = v.details
         FROM UNNEST($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::text[],
                     $7::bigint[], $8::bigint[], $9::text[], $10::bigint[], $11::bigint[],
                     $12::timestamptz[], $13::text[])
              AS v (key, status, order_id, currency, amount_minor, method, captured_minor,
                    refunded_minor, transaction_id, charge_attempts, refund_attempts, changed_at,
                    details)
         WHERE gateway_ledger.key = v.key",
        &column(entries, |entry| entry.key.0),
        &column(entries, |entry| entry.status.as_str()) as _,
        &column(&bookings, |booking| Some((*booking)?.order_id.0)) as _,
        &column(&bookings, |booking| Some((*booking)?.amount.currency.code())) as _,
        &column(&bookings, |booking| Some((*booking)?.amount.minor)) as _,
        &column(&bookings, |booking| Some((*booking)?.method.as_str())) as _,
        &column(entries, |entry| entry.captured_minor),
        &column(entries, |entry| entry.refunded_minor),
        &column(entries, |entry| entry.transaction_id.as_deref()) as _,
        &column(entries, |entry| i64::from(entry.charge_attempts)),
        &column(entries, |entry| i64::from(entry.refund_attempts)),
        &column(entries, |entry| time(entry.changed_at)),
        &details(entries)? as _
    );
    columns::update(conn, "ledger entry", entries.len(), statement).await
}

/// The column of JSON. NULL: the entry has no details.
fn details(entries: &[Entry]) -> Result<Vec<Option<String>>, Error> {
    Ok(optional_json_column("ledger entry's details", entries, |entry| {
        Some(&entry.details).filter(|details| !details.is_empty())
    })?)
}

/// The gateway's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct GatewayDatabase(pub Database);

#[async_trait]
impl GatewayReads for GatewayDatabase {
    async fn entry(&self, key: GatewayKey) -> Result<Option<Entry>, ReadError> {
        let query = sqlx::query_as!(
            StoredGatewayEntry::<Timestamp>,
            "SELECT key, status, order_id, currency, amount_minor, method, captured_minor,
                    refunded_minor, transaction_id, charge_attempts, refund_attempts,
                    created_at, changed_at, details
             FROM gateway_ledger WHERE key = $1",
            key.0
        );
        self.0.row(query, StoredGatewayEntry::entry).await
    }

    async fn totals(&self) -> Result<Totals, ReadError> {
        self.0
            .read(|readers| async move {
                // One statement, so that all of it is read at the same moment.
                let rows = sqlx::query!(
                    r#"SELECT currency AS "currency!", sum(captured_minor)::bigint AS "captured!",
                              sum(refunded_minor)::bigint AS "refunded!", count(*) AS "captures!",
                              (SELECT count(DISTINCT order_id) FROM gateway_ledger
                               WHERE transaction_id IS NOT NULL) AS "orders!"
                       FROM gateway_ledger WHERE transaction_id IS NOT NULL GROUP BY currency"#
                )
                .fetch_all(&readers)
                .await?;
                let mut totals = Totals::default();
                for row in rows {
                    let currency = Currency::read(&row.currency).map_err(corrupt("currency"))?;
                    let sums = Sums { captured_minor: row.captured, refunded_minor: row.refunded };
                    totals.sums.insert(currency, sums);
                    totals.captures += count::<u64>(row.captures)?;
                    totals.orders = count(row.orders)?;
                }
                Ok(totals)
            })
            .await
    }
}
