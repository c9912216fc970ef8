//! Reads of orders, and the sweeper's claim.

use crate::columns::{Micros, json_rows, micros};
use crate::database::Database;
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::order::{DueOrders, OrderFilter, OrderReads, UnreadableOrder};
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::order::{HistoryRow, Saga, SagaCount};
use ordermill_domain::reconciliation::{OrderRecord, Record, Span};
use ordermill_rows::Corrupt;
use ordermill_rows::order::{StoredHistory, StoredOrder, StoredSagaCount};
use serde::Serialize;
use uuid::Uuid;

/// The order service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct OrderDatabase(pub Database);

/// An order of a list, where one that cannot be read must not hide the others.
fn listed(row: StoredOrder<Micros>) -> Result<Result<Saga, UnreadableOrder>, Corrupt> {
    let order_id = OrderId(row.order_id);
    Ok(row.saga().map_err(|error| UnreadableOrder { order_id, cause: error.to_string() }))
}

#[async_trait]
impl OrderReads for OrderDatabase {
    async fn order(&self, id: OrderId) -> Result<Option<Saga>, ReadError> {
        let query = sqlx::query_as!(
            StoredOrder::<Micros>,
            r#"SELECT s.order_id AS "order_id: Uuid", version, created_at, updated_at, due_at,
                      origin, details, state
               FROM sagas AS s JOIN orders USING (order_id) WHERE s.order_id = ?1"#,
            id.0
        );
        self.0.row(query, StoredOrder::saga).await
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        limit: u32,
    ) -> Result<Vec<Result<Saga, UnreadableOrder>>, ReadError> {
        let OrderFilter { customer_id, status, saga_status, before } = filter;
        let (status, saga_status) = (status.map(|s| s.as_str()), saga_status.map(|s| s.as_str()));
        let before = before.map_or(Uuid::max(), |order| order.0);
        // Three statements: each goes by its own index, whatever the planner makes of an OR.
        // CROSS JOIN keeps the tables in the order in which they are named.
        match customer_id {
            Some(customer_id) => {
                let query = sqlx::query_as!(
                    StoredOrder::<Micros>,
                    r#"SELECT o.order_id AS "order_id: Uuid", version, created_at, updated_at,
                              due_at, origin, details, state
                       FROM orders AS o CROSS JOIN sagas USING (order_id)
                       WHERE customer_id = ?1 AND o.order_id < ?2
                         AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR saga_status = ?4)
                       ORDER BY o.order_id DESC LIMIT ?5"#,
                    customer_id,
                    before,
                    status,
                    saga_status,
                    limit
                );
                self.0.rows(query, listed).await
            }
            None if filter.is_of_those_under_way() => {
                let query = sqlx::query_as!(
                    StoredOrder::<Micros>,
                    r#"SELECT s.order_id AS "order_id: Uuid", version, created_at, updated_at,
                              due_at, origin, details, state
                       FROM sagas AS s INDEXED BY sagas_due CROSS JOIN orders USING (order_id)
                       WHERE due_at IS NOT NULL AND s.order_id < ?1
                         AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR saga_status = ?3)
                       ORDER BY s.order_id DESC LIMIT ?4"#,
                    before,
                    status,
                    saga_status,
                    limit
                );
                self.0.rows(query, listed).await
            }
            None => {
                let query = sqlx::query_as!(
                    StoredOrder::<Micros>,
                    r#"SELECT s.order_id AS "order_id: Uuid", version, created_at, updated_at,
                              due_at, origin, details, state
                       FROM sagas AS s CROSS JOIN orders USING (order_id)
                       WHERE s.order_id < ?1
                         AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR saga_status = ?3)
                       ORDER BY s.order_id DESC LIMIT ?4"#,
                    before,
                    status,
                    saga_status,
                    limit
                );
                self.0.rows(query, listed).await
            }
        }
    }

    async fn history(
        &self,
        since: &[(OrderId, u32)],
        limit: u32,
    ) -> Result<Vec<HistoryRow>, ReadError> {
        #[derive(Serialize)]
        struct Since {
            order_id: Uuid,
            sequence: u32,
        }
        let since =
            since.iter().map(|(order, sequence)| Since { order_id: order.0, sequence: *sequence });
        let since = json_rows("list of positions", since).map_err(Error::from)?;
        let query = sqlx::query_as!(
            StoredHistory::<Micros>,
            r#"SELECT h.order_id AS "order_id!: Uuid", h.sequence AS "sequence!",
                      h.at AS "at!", h.cause AS "cause!", h.status AS "status!",
                      h.saga_status AS "saga_status!", h.step AS "step!",
                      h.facts AS "facts!"
               FROM jsonb_each(?1) AS s
               JOIN order_history AS h
                 ON h.order_id = unhex(s.value ->> 'order_id', '-')
                AND h.sequence >= s.value ->> 'sequence'
               ORDER BY h.order_id, h.sequence LIMIT ?2"#,
            since,
            limit
        );
        self.0.rows(query, StoredHistory::row).await
    }

    async fn counts(&self, now: Timestamp) -> Result<Vec<SagaCount>, ReadError> {
        let now = micros(now);
        let query = sqlx::query_as!(
            StoredSagaCount,
            r#"SELECT saga_status, count(*) AS "sagas!: i64", min(order_id) AS "oldest!: Uuid",
                      count(*) FILTER (WHERE due_at < ?1) AS "overdue!: i64"
               FROM sagas WHERE (due_at IS NOT NULL OR saga_status = 'FAILED')
                 AND saga_status NOT IN ('COMPLETED', 'COMPENSATED')
               GROUP BY saga_status ORDER BY saga_status"#,
            now
        );
        self.0.rows(query, |row| row.count()).await
    }
}

#[async_trait]
impl DueOrders for OrderDatabase {
    async fn claim(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrderId>, ReadError> {
        let (now, until) = (micros(now), micros(until));
        // Most of the time nobody is due: the writer is not asked for that.
        let query = sqlx::query!("SELECT 1 AS one FROM sagas WHERE due_at <= ?1 LIMIT 1", now);
        if self.0.row(query, |_| Ok(())).await?.is_none() {
            return Ok(Vec::new());
        }
        let query = sqlx::query!(
            r#"UPDATE sagas SET due_at = ?2
               WHERE order_id IN (SELECT order_id FROM sagas WHERE due_at <= ?1
                                  ORDER BY due_at LIMIT ?3)
               RETURNING order_id AS "order_id!: Uuid""#,
            now,
            until,
            limit
        );
        let claimed =
            self.0.write(|writer| async move { Ok(query.fetch_all(&writer).await?) }).await?;
        Ok(claimed.into_iter().map(|row| OrderId(row.order_id)).collect())
    }

    async fn forget_claims(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        let before = micros(before);
        let query = sqlx::query!(
            "DELETE FROM idempotency_keys WHERE key IN (
                 SELECT key FROM idempotency_keys WHERE created_at < ?1
                 ORDER BY created_at LIMIT ?2)",
            before,
            limit
        );
        self.0.execute(query).await
    }
}

#[async_trait]
impl OrderRecords<OrderRecord> for OrderDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<OrderRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let query = sqlx::query_as!(
            StoredOrder::<Micros>,
            r#"SELECT s.order_id AS "order_id: Uuid", version, created_at, updated_at, due_at,
                      origin, details, state
               FROM sagas AS s CROSS JOIN orders USING (order_id)
               WHERE s.order_id > ?1 AND s.order_id <= ?2
               ORDER BY s.order_id LIMIT ?3"#,
            after.0,
            until.0,
            limit
        );
        self.0.rows(query, |row| Ok(row.record())).await
    }
}
