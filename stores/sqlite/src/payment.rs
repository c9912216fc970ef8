//! The payment service's tables.

mod database;
mod notifications;

pub use database::PaymentDatabase;
mod records;

use crate::columns::{self, micros};
use crate::error::Error;
use crate::script::{Script, checked};
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_actors::payment::PaymentReads;
use ordermill_actors::ports::ReadError;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    Attention, Payment, PaymentKeys, PaymentRow, PaymentRows, PaymentService, PaymentStatus,
    PaymentWrite, PaymentWrites,
};
use ordermill_rows::count;
use ordermill_rows::payment::{StoredPayment, attention_count};
use serde::Serialize;
use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;
use uuid::Uuid;

/// The payment service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite/payment");

#[async_trait]
impl Tables for PaymentService {
    async fn load(conn: &mut SqliteConnection, keys: &PaymentKeys) -> Result<PaymentRows, Error> {
        let notifications = notifications::load(conn, &keys.references).await?;
        let keys = columns::ids(keys.orders.iter().map(|order| order.0));
        let rows = sqlx::query!(
            r#"SELECT order_id AS "order_id: Uuid", version
               FROM payments WHERE order_id IN (SELECT unhex(value) FROM json_each(?1))"#,
            keys
        )
        .fetch_all(conn)
        .await?;
        let versions = rows.into_iter().map(|row| Ok((OrderId(row.order_id), count(row.version)?)));
        Ok(PaymentRows { versions: versions.collect::<Result<_, Error>>()?, notifications })
    }

    fn write(script: &mut Script, writes: &PaymentWrites, _at: Timestamp) -> Result<(), Error> {
        let (inserts, updates): (Vec<_>, Vec<_>) =
            writes.payments.iter().map(WrittenPayment::from).partition(|row| row.expected == 0);
        insert(script, &inserts)?;
        update(script, &updates)?;
        notifications::write(script, &writes.notifications)
    }
}

/// A row, as it is bound.
#[derive(Serialize)]
struct WrittenPayment<'a> {
    order_id: Uuid,
    expected: u64,
    version: u64,
    status: PaymentStatus,
    due_at: Option<i64>,
    attention: Option<Attention>,
    payment: &'a Payment,
}

impl<'a> From<&'a PaymentWrite> for WrittenPayment<'a> {
    fn from(PaymentWrite { expected, row }: &'a PaymentWrite) -> Self {
        Self {
            order_id: row.order_id.0,
            expected: *expected,
            version: row.version,
            status: row.payment.status(),
            due_at: row.due_at().map(micros),
            attention: row.attention(),
            payment: &row.payment,
        }
    }
}

fn insert(script: &mut Script, rows: &[WrittenPayment<'_>]) -> Result<(), Error> {
    let sql = checked!(
        "INSERT INTO payments (order_id, version, status, due_at, attention, payment)
         SELECT unhex(value ->> 'order_id', '-'), value ->> 'version', value ->> 'status',
                value ->> 'due_at', value ->> 'attention', value -> 'payment'
         FROM jsonb_each(?)"
    );
    script.insert("payment", rows.iter(), sql)
}

fn update(script: &mut Script, rows: &[WrittenPayment<'_>]) -> Result<(), Error> {
    let sql = checked!(
        "UPDATE payments
         SET version = v.value ->> 'version', status = v.value ->> 'status',
             due_at = v.value ->> 'due_at', attention = v.value ->> 'attention',
             payment = v.value -> 'payment'
         FROM jsonb_each(?) AS v
         WHERE payments.order_id = unhex(v.value ->> 'order_id', '-')
           AND payments.version = v.value ->> 'expected'"
    );
    script.update("payment", rows.iter(), sql)
}

#[async_trait]
impl PaymentReads for PaymentDatabase {
    async fn payment(&self, order_id: OrderId) -> Result<Option<PaymentRow>, ReadError> {
        let query =
            sqlx::query!("SELECT version, payment FROM payments WHERE order_id = ?1", order_id.0);
        let found = self.0.row(query, move |row| {
            let (order_id, version, payment) = (order_id.0, row.version, row.payment);
            StoredPayment { order_id, version, payment }.payment()
        });
        found.await
    }

    async fn due(
        &self,
        before: Timestamp,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<OrderId>, ReadError> {
        let before = micros(before);
        let after = after.map_or(Uuid::nil(), |order| order.0);
        let query = sqlx::query!(
            r#"SELECT order_id AS "order_id: Uuid" FROM payments
               WHERE due_at <= ?1 AND order_id > ?2 ORDER BY order_id LIMIT ?3"#,
            before,
            after,
            limit
        );
        self.0.rows(query, |row| Ok(OrderId(row.order_id))).await
    }
    async fn needing_attention(
        &self,
        attention: Option<Attention>,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<PaymentRow>, ReadError> {
        let attention = attention.map(Attention::as_str);
        let after = after.map_or(Uuid::nil(), |order| order.0);
        let query = sqlx::query_as!(
            StoredPayment,
            r#"SELECT order_id AS "order_id: Uuid", version, payment FROM payments
               WHERE attention IS NOT NULL AND order_id > ?1 AND (?2 IS NULL OR attention = ?2)
               ORDER BY order_id LIMIT ?3"#,
            after,
            attention,
            limit
        );
        self.0.rows(query, StoredPayment::payment).await
    }

    async fn attention_counts(&self) -> Result<Vec<(Attention, u64)>, ReadError> {
        let query = sqlx::query!(
            "SELECT attention AS \"attention!\", count(*) AS \"payments!: i64\"
             FROM payments WHERE attention IS NOT NULL GROUP BY attention"
        );
        let read = self.0.rows(query, |row| attention_count(&row.attention, row.payments));
        let mut counts = read.await?;
        counts.sort();
        Ok(counts)
    }
}
