//! The payment service's tables.

mod database;
mod notifications;

pub use database::PaymentDatabase;
mod records;

use crate::columns::{self, column, json_column, number, time};
use crate::error::Error;
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_actors::payment::PaymentReads;
use ordermill_actors::ports::ReadError;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    Attention, PaymentKeys, PaymentRow, PaymentRows, PaymentService, PaymentWrite, PaymentWrites,
};
use ordermill_rows::count;
use ordermill_rows::payment::{StoredPayment, attention_count};
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use uuid::Uuid;

/// The service's schema.
pub const SCHEMA: &str = "payment";

/// The payment service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres/payment");

#[async_trait]
impl Tables for PaymentService {
    async fn load(conn: &mut PgConnection, keys: &PaymentKeys) -> Result<PaymentRows, Error> {
        let orders = column(&keys.orders, |order| order.0);
        let rows = sqlx::query!(
            "SELECT order_id, version FROM payments
             WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE",
            &orders
        )
        .fetch_all(&mut *conn)
        .await?;
        let versions = rows.into_iter().map(|row| Ok((OrderId(row.order_id), count(row.version)?)));
        let versions = versions.collect::<Result<_, Error>>()?;
        // After the payments are locked, so that it sees what their last writer has stored.
        let notifications = notifications::load(conn, &keys.references).await?;
        Ok(PaymentRows { versions, notifications })
    }

    async fn write(
        conn: &mut PgConnection,
        writes: &PaymentWrites,
        _at: Timestamp,
    ) -> Result<(), Error> {
        let (inserts, updates): (Vec<_>, Vec<_>) =
            writes.payments.iter().partition(|write| write.expected == 0);
        insert(conn, &inserts).await?;
        update(conn, &updates).await?;
        notifications::write(conn, &writes.notifications).await
    }
}

async fn insert(conn: &mut PgConnection, writes: &[&PaymentWrite]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "INSERT INTO payments (order_id, version, status, due_at, attention, payment)
         SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::text[],
                              $6::text[])",
        &column(writes, |write| write.row.order_id.0),
        &column(writes, |write| number(write.row.version)),
        &column(writes, |write| write.row.payment.status().as_str()) as _,
        &column(writes, |write| write.row.due_at().map(time)) as _,
        &column(writes, |write| write.row.attention().map(Attention::as_str)) as _,
        &json_column("payment", writes, |write| &*write.row.payment)?
    );
    columns::insert(conn, writes.len(), statement).await
}

async fn update(conn: &mut PgConnection, writes: &[&PaymentWrite]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "UPDATE payments
         SET version = v.version, status = v.status, due_at = v.due_at, attention = v.attention,
             payment = v.payment
         FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[],
                     $6::text[], $7::text[])
              AS v (order_id, expected, version, status, due_at, attention, payment)
         WHERE payments.order_id = v.order_id AND payments.version = v.expected",
        &column(writes, |write| write.row.order_id.0),
        &column(writes, |write| number(write.expected)),
        &column(writes, |write| number(write.row.version)),
        &column(writes, |write| write.row.payment.status().as_str()) as _,
        &column(writes, |write| write.row.due_at().map(time)) as _,
        &column(writes, |write| write.row.attention().map(Attention::as_str)) as _,
        &json_column("payment", writes, |write| &*write.row.payment)?
    );
    columns::update(conn, "payment", writes.len(), statement).await
}

#[async_trait]
impl PaymentReads for PaymentDatabase {
    async fn payment(&self, order_id: OrderId) -> Result<Option<PaymentRow>, ReadError> {
        let query =
            sqlx::query!("SELECT version, payment FROM payments WHERE order_id = $1", order_id.0);
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
        let after = after.map_or(Uuid::nil(), |order| order.0);
        let query = sqlx::query!(
            "SELECT order_id FROM payments
             WHERE due_at <= $1 AND order_id > $2 ORDER BY order_id LIMIT $3",
            time(before),
            after,
            i64::from(limit)
        );
        self.0.rows(query, |row| Ok(OrderId(row.order_id))).await
    }
    async fn needing_attention(
        &self,
        attention: Option<Attention>,
        after: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<PaymentRow>, ReadError> {
        let after = after.map_or(Uuid::nil(), |order| order.0);
        let query = sqlx::query_as!(
            StoredPayment,
            "SELECT order_id, version, payment FROM payments
             WHERE attention IS NOT NULL AND order_id > $1 AND ($2::text IS NULL OR attention = $2)
             ORDER BY order_id LIMIT $3",
            after,
            attention.map(Attention::as_str),
            i64::from(limit)
        );
        self.0.rows(query, StoredPayment::payment).await
    }

    async fn attention_counts(&self) -> Result<Vec<(Attention, u64)>, ReadError> {
        let query = sqlx::query!(
            "SELECT attention AS \"attention!\", count(*) AS \"payments!\"
             FROM payments WHERE attention IS NOT NULL GROUP BY attention"
        );
        let read = self.0.rows(query, |row| attention_count(&row.attention, row.payments));
        let mut counts = read.await?;
        counts.sort();
        Ok(counts)
    }
}
