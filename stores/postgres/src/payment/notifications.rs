//! The notifications of gateways.

use super::database::PaymentDatabase;
use crate::columns::{column, time};
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::payment::NotificationLog;
use ordermill_actors::ports::ReadError;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    GatewayReference, KnownNotifications, NotificationRow, NotificationWrites,
    RepeatedNotification, StoredNotification,
};
use ordermill_rows::payment::{StoredEventKey, StoredPaymentNotification, known_notifications};
use sqlx::PgConnection;
use uuid::Uuid;

/// The notifications under these names. Asks nothing when there are none.
pub async fn load(
    conn: &mut PgConnection,
    references: &[GatewayReference],
) -> Result<KnownNotifications, Error> {
    if references.is_empty() {
        return Ok(KnownNotifications::new());
    }
    let rows = sqlx::query_as!(
        StoredEventKey,
        "SELECT n.provider, n.reference, n.event_key
         FROM UNNEST($1::text[], $2::text[]) AS wanted (provider, reference)
         JOIN payment_notifications AS n USING (provider, reference)",
        &column(references, |(provider, _)| provider.as_str()) as _,
        &column(references, |(_, reference)| reference.as_str()) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(known_notifications(rows)?)
}

/// Writes what was decided on. Asks nothing when that is nothing.
pub async fn write(conn: &mut PgConnection, writes: &NotificationWrites) -> Result<(), Error> {
    if !writes.fresh.is_empty() {
        insert(conn, &writes.fresh).await?;
    }
    if !writes.repeated.is_empty() {
        count(conn, &writes.repeated).await?;
    }
    Ok(())
}

async fn insert(conn: &mut PgConnection, fresh: &[StoredNotification]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "INSERT INTO payment_notifications
             (id, provider, reference, event_key, order_id, received_at, times, text, body)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::uuid[],
                              $6::timestamptz[], $7::bigint[], $8::text[], $9::bytea[])",
        &column(fresh, |stored| stored.row.id),
        &column(fresh, |stored| stored.row.provider.as_str()) as _,
        &column(fresh, |stored| stored.row.reference.as_str()) as _,
        &column(fresh, |stored| stored.row.event_key.to_vec()),
        &column(fresh, |stored| stored.row.order_id.map(|order| order.0)) as _,
        &column(fresh, |stored| time(stored.row.received_at)),
        &column(fresh, |stored| i64::from(stored.row.times)),
        &column(fresh, |stored| stored.row.text.as_str()) as _,
        &column(fresh, |stored| stored.body.to_vec()),
    );
    statement.execute(conn).await?;
    Ok(())
}

async fn count(conn: &mut PgConnection, repeated: &[RepeatedNotification]) -> Result<(), Error> {
    let statement = sqlx::query!(
        "UPDATE payment_notifications AS n SET times = n.times + v.times
         FROM UNNEST($1::text[], $2::text[], $3::bytea[], $4::bigint[])
              AS v (provider, reference, event_key, times)
         WHERE n.provider = v.provider AND n.reference = v.reference AND n.event_key = v.event_key",
        &column(repeated, |repeated| repeated.provider.as_str()) as _,
        &column(repeated, |repeated| repeated.reference.as_str()) as _,
        &column(repeated, |repeated| repeated.event_key.to_vec()),
        &column(repeated, |repeated| i64::from(repeated.times)),
    );
    statement.execute(conn).await?;
    Ok(())
}

#[async_trait]
impl NotificationLog for PaymentDatabase {
    /// Two statements: only a comparison that is never with NULL finds its rows by the index.
    async fn notifications(
        &self,
        order_id: Option<OrderId>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<NotificationRow>, ReadError> {
        let (before, limit) = (before.unwrap_or(Uuid::max()), i64::from(limit));
        match order_id {
            Some(order_id) => {
                let query = sqlx::query_as!(
                    StoredPaymentNotification::<Timestamp>,
                    "SELECT id, provider, reference, event_key, order_id, received_at, times, text
                     FROM payment_notifications
                     WHERE order_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                    order_id.0,
                    before,
                    limit
                );
                self.0.rows(query, StoredPaymentNotification::row).await
            }
            None => {
                let query = sqlx::query_as!(
                    StoredPaymentNotification::<Timestamp>,
                    "SELECT id, provider, reference, event_key, order_id, received_at, times, text
                     FROM payment_notifications
                     WHERE order_id IS NULL AND id < $1 ORDER BY id DESC LIMIT $2",
                    before,
                    limit
                );
                self.0.rows(query, StoredPaymentNotification::row).await
            }
        }
    }

    async fn notification(&self, id: Uuid) -> Result<Option<StoredNotification>, ReadError> {
        let query = sqlx::query!(
            "SELECT provider, reference, event_key, order_id, received_at, times, text, body
             FROM payment_notifications WHERE id = $1",
            id
        );
        let found = self.0.row(query, move |found| {
            let row = StoredPaymentNotification {
                id,
                provider: found.provider,
                reference: found.reference,
                event_key: found.event_key,
                order_id: found.order_id,
                received_at: found.received_at,
                times: found.times,
                text: found.text,
            };
            Ok(StoredNotification { row: row.row()?, body: found.body.into() })
        });
        found.await
    }

    async fn forget_notifications(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        let query = sqlx::query!(
            "DELETE FROM payment_notifications WHERE id IN (
                 SELECT id FROM payment_notifications WHERE received_at < $1
                 ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
            time(before),
            i64::from(limit)
        );
        self.0.execute(query).await
    }
}
