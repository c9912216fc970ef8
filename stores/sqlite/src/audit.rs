//! The audit service's table: every event, append-only.

use crate::columns::{Micros, micros};
use crate::database::Database;
use crate::error::Error;
use crate::script::{Script, statement};
use crate::store::Tables;
use async_trait::async_trait;
use ordermill_actors::audit::AuditReads;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::audit::{AuditCursor, AuditEntry, AuditService};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::Message;
use ordermill_domain::reconciliation::{AuditRecord, Record, Span};
use ordermill_rows::audit::{StoredAuditEntry, record};
use ordermill_rows::from_json;
use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;
use std::fmt::Write;
use std::sync::Arc;
use uuid::Uuid;

/// The audit service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite/audit");

#[async_trait]
impl Tables for AuditService {
    async fn load(_: &mut SqliteConnection, (): &()) -> Result<(), Error> {
        Ok(())
    }

    fn write(script: &mut Script, events: &Vec<Arc<Message>>, at: Timestamp) -> Result<(), Error> {
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
        let query = sqlx::query_as!(
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
        );
        self.0.rows(query, move |row| row.entry(order)).await
    }
}

#[async_trait]
impl OrderRecords<AuditRecord> for AuditDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<AuditRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let query = sqlx::query!(
            r#"SELECT order_id AS "order_id!: Uuid", json_group_array(event_type) AS "events!: String"
                   FROM audit_entries WHERE order_id > ?1 AND order_id <= ?2
                   GROUP BY order_id ORDER BY order_id LIMIT ?3"#,
            after.0,
            until.0,
            limit
        );
        let found = self
            .0
            .rows(query, |row| Ok(record(row.order_id, from_json("list of events", &row.events)?)));
        found.await
    }
}
