//! The audit service's table: every event, append-only.

mod records;

use crate::columns::{Micros, micros};
use crate::database::Database;
use crate::error::Error;
use crate::script::{Script, statement};
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_actors::audit::AuditReads;
use ordermill_actors::ports::ReadError;
use ordermill_domain::audit::{AuditCursor, AuditEntry, AuditService};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::Message;
use ordermill_rows::audit::StoredAuditEntry;
use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;
use std::fmt::Write;
use std::sync::Arc;
use uuid::Uuid;

/// The audit service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite/audit");

/// The audit service's table.
pub struct AuditTables;

#[async_trait]
impl Tables<AuditService> for AuditTables {
    async fn load(&self, _: &mut SqliteConnection, (): &()) -> Result<(), Error> {
        Ok(())
    }

    fn write(
        &self,
        script: &mut Script,
        events: &Vec<Arc<Message>>,
        at: Timestamp,
    ) -> Result<(), Error> {
        if events.is_empty() {
            return Ok(());
        }
        let (events, recorded_at) = (parameter(events), micros(at));
        statement!(
            script,
            "INSERT INTO audit_entries
                 (order_id, event_type, number, event_id, occurred_at, recorded_at, message)
             SELECT unhex(value ->> '$[1].order_id', '-'), value ->> '$[1].event_type',
                    value ->> '$[1].number', unhex(value ->> '$[1].event_id', '-'),
                    value ->> 0, ?, value -> 1
             FROM jsonb_each(?) WHERE true ORDER BY key
             ON CONFLICT (order_id, event_type, number) DO NOTHING",
            recorded_at,
            events
        );
        Ok(())
    }
}

/// `[[occurred_at, message], …]`: the messages as they are, written once for all who need them.
fn parameter(events: &[Arc<Message>]) -> String {
    let size: usize = events.iter().map(|event| event.json().len() + 24).sum();
    let mut text = String::with_capacity(size + 2);
    for event in events {
        text.push(if text.is_empty() { '[' } else { ',' });
        // Writing to a text cannot fail.
        let _ = write!(text, "[{},{}]", micros(event.occurred_at), event.json());
    }
    text.push(']');
    text
}

/// The audit service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct AuditDatabase(pub Database);

#[async_trait]
impl AuditReads for AuditDatabase {
    async fn events(
        &self,
        order: OrderId,
        after: Option<AuditCursor>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, ReadError> {
        let (occurred_at, position) =
            after.map_or((i64::MIN, 0), |after| (micros(after.occurred_at), after.position));
        let read = self.0.read(move |pool| async move {
            let rows = sqlx::query_as!(
                StoredAuditEntry::<Micros>,
                r#"SELECT position, event_id AS "event_id: Uuid", event_type, number, occurred_at,
                          recorded_at, message
                   FROM audit_entries
                   WHERE order_id = ?1 AND (occurred_at, position) > (?2, ?3)
                   ORDER BY occurred_at, position LIMIT ?4"#,
                order.0,
                occurred_at,
                position,
                limit
            )
            .fetch_all(&pool)
            .await?;
            let entries = rows.into_iter().map(|row| row.entry(order));
            Ok(entries.collect::<Result<_, _>>()?)
        });
        read.await
    }
}
