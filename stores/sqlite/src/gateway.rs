//! The simulated gateway's ledger.

mod records;
mod rows;

use crate::columns::{self, Micros};
use crate::database::Database;
use crate::error::Error;
use crate::script::{Script, checked};
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
use rows::GatewayEntryRow;
use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;
use std::collections::HashMap;
use uuid::Uuid;

/// The gateway's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite/gateway");

#[async_trait]
impl Tables for SimulatedGateway {
    async fn load(
        conn: &mut SqliteConnection,
        keys: &Vec<GatewayKey>,
    ) -> Result<HashMap<GatewayKey, Entry>, Error> {
        let keys = columns::ids(keys.iter().map(|key| key.0));
        let rows = sqlx::query_as!(
            StoredGatewayEntry::<Micros>,
            r#"SELECT key AS "key: Uuid", status, order_id AS "order_id: Uuid", currency,
                      amount_minor, method, captured_minor, refunded_minor, transaction_id,
                      charge_attempts, refund_attempts, created_at, changed_at,
                      details
               FROM gateway_ledger WHERE key IN (SELECT unhex(value) FROM json_each(?1))"#,
            keys
        )
        .fetch_all(conn)
        .await?;
        let entries = rows.into_iter().map(|row| row.entry().map(|entry| (entry.key, entry)));
        Ok(entries.collect::<Result<_, _>>()?)
    }

    fn write(script: &mut Script, writes: &GatewayWrites, _at: Timestamp) -> Result<(), Error> {
        insert(script, &writes.inserted)?;
        update(script, &writes.updated)
    }
}

fn insert(script: &mut Script, entries: &[Entry]) -> Result<(), Error> {
    let rows = entries.iter().map(GatewayEntryRow::from);
    let sql = checked!(
        "INSERT INTO gateway_ledger (key, status, order_id, currency, amount_minor, method,
                                     captured_minor, refunded_minor, transaction_id,
                                     charge_attempts, refund_attempts, created_at, changed_at,
                                     details)
         SELECT unhex(value ->> 'key', '-'), value ->> 'status',
                unhex(value ->> 'order_id', '-'), value ->> 'currency',
                value ->> 'amount_minor', value ->> 'method', value ->> 'captured_minor',
                value ->> 'refunded_minor', value ->> 'transaction_id',
                value ->> 'charge_attempts', value ->> 'refund_attempts',
                value ->> 'created_at', value ->> 'changed_at', value ->> 'details'
         FROM jsonb_each(?)"
    );
    script.insert("ledger entry", rows, sql)
}

fn update(script: &mut Script, entries: &[Entry]) -> Result<(), Error> {
    let rows = entries.iter().map(GatewayEntryRow::from);
    let sql = checked!(
        "UPDATE gateway_ledger
         SET status = v.value ->> 'status', order_id = unhex(v.value ->> 'order_id', '-'),
             currency = v.value ->> 'currency', amount_minor = v.value ->> 'amount_minor',
             method = v.value ->> 'method', captured_minor = v.value ->> 'captured_minor',
             refunded_minor = v.value ->> 'refunded_minor',
             transaction_id = v.value ->> 'transaction_id',
             charge_attempts = v.value ->> 'charge_attempts',
             refund_attempts = v.value ->> 'refund_attempts',
             changed_at = v.value ->> 'changed_at', details = v.value ->> 'details'
         FROM jsonb_each(?) AS v
         WHERE gateway_ledger.key = unhex(v.value ->> 'key', '-')"
    );
    script.update("ledger entry", rows, sql)
}

/// The gateway's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct GatewayDatabase(pub Database);

#[async_trait]
impl GatewayReads for GatewayDatabase {
    async fn entry(&self, key: GatewayKey) -> Result<Option<Entry>, ReadError> {
        let query = sqlx::query_as!(
            StoredGatewayEntry::<Micros>,
            r#"SELECT key AS "key: Uuid", status, order_id AS "order_id: Uuid", currency,
                      amount_minor, method, captured_minor, refunded_minor,
                      transaction_id, charge_attempts, refund_attempts, created_at,
                      changed_at, details
               FROM gateway_ledger WHERE key = ?1"#,
            key.0
        );
        self.0.row(query, StoredGatewayEntry::entry).await
    }

    async fn totals(&self) -> Result<Totals, ReadError> {
        self.0
            .read(|readers| async move {
                // One statement, so that all of it is read at the same moment.
                let rows = sqlx::query!(
                    r#"SELECT currency AS "currency!", sum(captured_minor) AS "captured!: i64",
                              sum(refunded_minor) AS "refunded!: i64", count(*) AS "captures!: i64",
                              (SELECT count(DISTINCT order_id) FROM gateway_ledger
                               WHERE transaction_id IS NOT NULL) AS "orders!: i64"
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
