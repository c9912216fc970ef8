//! The notifications of gateways.

use super::database::PaymentDatabase;
use crate::columns::{Micros, json_rows, micros};
use crate::error::Error;
use crate::script::{Script, checked};
use async_trait::async_trait;
use ordermill_actors::payment::NotificationLog;
use ordermill_actors::ports::ReadError;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    GatewayReference, KnownNotifications, NotificationRow, NotificationWrites, Provider,
    RepeatedNotification, StoredNotification,
};
use ordermill_rows::payment::{StoredEventKey, StoredPaymentNotification, known_notifications};
use serde::Serialize;
use sqlx::SqliteConnection;
use std::fmt::Write;
use uuid::Uuid;

/// The notifications under these names. Asks nothing when there are none.
pub async fn load(
    conn: &mut SqliteConnection,
    references: &[GatewayReference],
) -> Result<KnownNotifications, Error> {
    if references.is_empty() {
        return Ok(KnownNotifications::new());
    }
    let wanted = json_rows("gateway reference", references)?;
    // CROSS JOIN keeps the order: each name is looked up by the unique key.
    let rows = sqlx::query_as!(
        StoredEventKey,
        "SELECT n.provider, n.reference, n.event_key
         FROM json_each(?1) AS wanted CROSS JOIN payment_notifications AS n
         WHERE n.provider = wanted.value ->> 0 AND n.reference = wanted.value ->> 1",
        wanted
    )
    .fetch_all(conn)
    .await?;
    Ok(known_notifications(rows)?)
}

/// A new row, as it is bound.
#[derive(Serialize)]
struct WrittenNotification<'a> {
    id: Uuid,
    provider: Provider,
    reference: &'a str,
    event_key: String,
    order_id: Option<Uuid>,
    received_at: Micros,
    times: u32,
    text: &'a str,
    body: String,
}

impl<'a> From<&'a StoredNotification> for WrittenNotification<'a> {
    fn from(StoredNotification { row, body }: &'a StoredNotification) -> Self {
        Self {
            id: row.id,
            provider: row.provider,
            reference: &row.reference,
            event_key: hex(&row.event_key),
            order_id: row.order_id.map(|order| order.0),
            received_at: micros(row.received_at),
            times: row.times,
            text: &row.text,
            body: hex(body),
        }
    }
}

/// A row that is counted on, as it is bound.
#[derive(Serialize)]
struct CountedNotification<'a> {
    provider: Provider,
    reference: &'a str,
    event_key: String,
    times: u32,
}

impl<'a> From<&'a RepeatedNotification> for CountedNotification<'a> {
    fn from(repeated: &'a RepeatedNotification) -> Self {
        let RepeatedNotification { provider, reference, event_key, times } = repeated;
        Self { provider: *provider, reference, event_key: hex(event_key), times: *times }
    }
}

/// Bytes as they travel in a JSON parameter, for `unhex`.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Writes what was decided on. Adds no statement when that is nothing.
pub fn write(script: &mut Script, writes: &NotificationWrites) -> Result<(), Error> {
    let sql = checked!(
        "INSERT INTO payment_notifications
             (id, provider, reference, event_key, order_id, received_at, times, text, body)
         SELECT unhex(value ->> 'id', '-'), value ->> 'provider', value ->> 'reference',
                unhex(value ->> 'event_key'), unhex(value ->> 'order_id', '-'),
                value ->> 'received_at', value ->> 'times', value ->> 'text',
                unhex(value ->> 'body')
         FROM jsonb_each(?)"
    );
    script.insert("notification", writes.fresh.iter().map(WrittenNotification::from), sql)?;
    let sql = checked!(
        "UPDATE payment_notifications AS n SET times = n.times + (v.value ->> 'times')
         FROM jsonb_each(?) AS v
         WHERE n.provider = v.value ->> 'provider' AND n.reference = v.value ->> 'reference'
           AND n.event_key = unhex(v.value ->> 'event_key')"
    );
    script.insert("notification", writes.repeated.iter().map(CountedNotification::from), sql)
}

#[async_trait]
impl NotificationLog for PaymentDatabase {
    async fn notifications(
        &self,
        order_id: Option<OrderId>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<NotificationRow>, ReadError> {
        let (order_id, before) = (order_id.map(|order| order.0), before.unwrap_or(Uuid::max()));
        let query = sqlx::query_as!(
            StoredPaymentNotification::<Micros>,
            r#"SELECT id AS "id: Uuid", provider, reference, event_key,
                      order_id AS "order_id: Uuid", received_at, times, text
               FROM payment_notifications
               WHERE order_id IS ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"#,
            order_id,
            before,
            limit
        );
        self.0.rows(query, StoredPaymentNotification::row).await
    }

    async fn notification(&self, id: Uuid) -> Result<Option<StoredNotification>, ReadError> {
        let query = sqlx::query!(
            r#"SELECT provider, reference, event_key, order_id AS "order_id: Uuid", received_at,
                      times, text, body
               FROM payment_notifications WHERE id = ?1"#,
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
        let before = micros(before);
        let query = sqlx::query!(
            "DELETE FROM payment_notifications WHERE rowid IN (
                 SELECT rowid FROM payment_notifications WHERE received_at < ?1
                 ORDER BY received_at LIMIT ?2)",
            before,
            limit
        );
        self.0.execute(query).await
    }
}
