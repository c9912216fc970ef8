//! The audit service's table: every event, append-only.

use crate::columns::{column, time};
use crate::database::Database;
use crate::error::Error;
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
use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use std::sync::Arc;

/// The service's schema.
pub const SCHEMA: &str = "audit";

/// The audit service's migrations.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres/audit");

#[async_trait]
impl Tables for AuditService {
    async fn load(_: &mut PgConnection, (): &()) -> Result<(), Error> {
        Ok(())
    }

    async fn write(
        conn: &mut PgConnection,
        events: &Vec<Arc<Message>>,
        at: Timestamp,
    ) -> Result<(), Error> {
        if events.is_empty() {
            return Ok(());
        }
        // Numbered as they come, so that positions keep their order.
        sqlx::query!(
            "INSERT INTO audit_entries
                 (order_id, event_type, number, event_id, occurred_at, recorded_at, message)
             SELECT v.order_id, v.event_type, v.number, v.event_id, v.occurred_at, $1, v.message
             FROM UNNEST($2::uuid[], $3::text[], $4::bigint[], $5::uuid[], $6::timestamptz[],
                         $7::text[]) WITH ORDINALITY
                  AS v (order_id, event_type, number, event_id, occurred_at, message, place)
             ORDER BY v.place
             ON CONFLICT (order_id, event_type, number) DO NOTHING",
            time(at),
            &column(events, |event| event.order_id().0),
            &column(events, |event| event.kind().as_str()) as _,
            &column(events, |event| i64::from(event.number)),
            &column(events, |event| event.event_id),
            &column(events, |event| time(event.occurred_at)),
            &column(events, |event| event.json()) as _
        )
        .execute(conn)
        .await?;
        Ok(())
    }
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
            after.map(|after| (time(after.occurred_at), after.position)).unzip();
        let query = sqlx::query_as!(
            StoredAuditEntry::<Timestamp>,
            "SELECT position, event_id, event_type, number, occurred_at, recorded_at, message
             FROM audit_entries
             WHERE order_id = $1
               AND ($2::timestamptz IS NULL OR (occurred_at, position) > ($2, $3::bigint))
             ORDER BY occurred_at, position LIMIT $4",
            order.0,
            occurred_at,
            position,
            i64::from(limit)
        );
        self.0.rows(query, move |row| row.entry(order)).await
    }
}

#[async_trait]
impl OrderRecords<AuditRecord> for AuditDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<AuditRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let query = sqlx::query!(
            r#"SELECT order_id, array_agg(event_type) AS "events!"
                   FROM audit_entries WHERE order_id > $1 AND order_id <= $2
                   GROUP BY order_id ORDER BY order_id LIMIT $3"#,
            after.0,
            until.0,
            i64::from(limit)
        );
        self.0.rows(query, |row| Ok(record(row.order_id, row.events))).await
    }
}
