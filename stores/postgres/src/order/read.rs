//! Reads of orders, and the sweeper's claim.

use crate::columns::{column, time};
use crate::database::Database;
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
use uuid::Uuid;

/// The order service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct OrderDatabase(pub Database);

/// An order of a list, where one that cannot be read must not hide the others.
fn listed(row: StoredOrder<Timestamp>) -> Result<Result<Saga, UnreadableOrder>, Corrupt> {
    let order_id = OrderId(row.order_id);
    Ok(row.saga().map_err(|error| UnreadableOrder { order_id, cause: error.to_string() }))
}

#[async_trait]
impl OrderReads for OrderDatabase {
    async fn order(&self, id: OrderId) -> Result<Option<Saga>, ReadError> {
        let query = sqlx::query_as!(
            StoredOrder::<Timestamp>,
            "SELECT order_id, version, created_at, updated_at, due_at, origin, details,
                    state
             FROM sagas JOIN orders USING (order_id) WHERE order_id = $1",
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
        match customer_id {
            Some(customer_id) => {
                let query = sqlx::query_as!(
                    StoredOrder::<Timestamp>,
                    "SELECT order_id, version, created_at, updated_at, due_at, origin,
                            details, state
                     FROM orders JOIN sagas USING (order_id)
                     WHERE customer_id = $1 AND order_id < $2
                       AND ($3::text IS NULL OR status = $3)
                       AND ($4::text IS NULL OR saga_status = $4)
                     ORDER BY order_id DESC LIMIT $5",
                    customer_id,
                    before,
                    status,
                    saga_status,
                    i64::from(limit)
                );
                self.0.rows(query, listed).await
            }
            // By itself, or the planner looks for the newest among all that rest. `failed` says no
            // more than the status does, and has an index.
            None if filter.is_of_those_under_way() => {
                let query = sqlx::query_as!(
                    StoredOrder::<Timestamp>,
                    "WITH met AS MATERIALIZED (
                         SELECT order_id, version, updated_at, due_at, state FROM sagas
                         WHERE due_at IS NOT NULL AND order_id < $1
                           AND ($2::text IS NULL OR status = $2)
                           AND ($3::text IS NULL OR saga_status = $3)
                           AND ($3 IS DISTINCT FROM 'FAILED' OR failed)
                     )
                     SELECT order_id, version, created_at, updated_at, due_at, origin,
                            details, state
                     FROM (SELECT * FROM met ORDER BY order_id DESC LIMIT $4) AS newest
                     JOIN orders USING (order_id) ORDER BY order_id DESC",
                    before,
                    status,
                    saga_status,
                    i64::from(limit)
                );
                self.0.rows(query, listed).await
            }
            None => {
                let query = sqlx::query_as!(
                    StoredOrder::<Timestamp>,
                    "SELECT order_id, version, created_at, updated_at, due_at, origin,
                            details, state
                     FROM sagas JOIN orders USING (order_id)
                     WHERE order_id < $1
                       AND ($2::text IS NULL OR status = $2)
                       AND ($3::text IS NULL OR saga_status = $3)
                     ORDER BY order_id DESC LIMIT $4",
                    before,
                    status,
                    saga_status,
                    i64::from(limit)
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
        let orders = column(since, |(order, _)| order.0);
        let sequences = column(since, |(_, sequence)| i64::from(*sequence));
        let query = sqlx::query_as!(
            StoredHistory::<Timestamp>,
            "SELECT h.order_id, h.sequence, h.at, h.cause, h.status, h.saga_status, h.step,
                    h.facts
             FROM UNNEST($1::uuid[], $2::bigint[]) AS s (order_id, sequence)
             JOIN order_history AS h
               ON h.order_id = s.order_id AND h.sequence >= s.sequence
             ORDER BY h.order_id, h.sequence LIMIT $3",
            &orders,
            &sequences,
            i64::from(limit)
        );
        self.0.rows(query, StoredHistory::row).await
    }

    async fn counts(&self, now: Timestamp) -> Result<Vec<SagaCount>, ReadError> {
        let query = sqlx::query_as!(
            StoredSagaCount,
            r#"SELECT saga_status, count(*) AS "sagas!", min(order_id::text)::uuid AS "oldest!",
                      count(*) FILTER (WHERE due_at < $1) AS "overdue!"
               FROM sagas WHERE (due_at IS NOT NULL OR failed)
                 AND saga_status NOT IN ('COMPLETED', 'COMPENSATED')
               GROUP BY saga_status ORDER BY saga_status"#,
            time(now)
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
        let query = sqlx::query_scalar!(
            "WITH due AS MATERIALIZED (
                 SELECT order_id FROM sagas WHERE due_at <= $1
                 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
             UPDATE sagas SET due_at = $2 FROM due
             WHERE sagas.order_id = due.order_id
             RETURNING sagas.order_id",
            time(now),
            time(until),
            i64::from(limit)
        );
        let write = self.0.write(|conn| Box::pin(async move { Ok(query.fetch_all(conn).await?) }));
        Ok(write.await?.into_iter().map(OrderId).collect())
    }

    async fn forget_claims(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        let query = sqlx::query!(
            "DELETE FROM idempotency_keys WHERE key IN (
                 SELECT key FROM idempotency_keys WHERE created_at < $1
                 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
            time(before),
            i64::from(limit)
        );
        self.0.execute(query).await
    }
}

#[async_trait]
impl OrderRecords<OrderRecord> for OrderDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<OrderRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let query = sqlx::query_as!(
            StoredOrder::<Timestamp>,
            "SELECT s.order_id, version, created_at, updated_at, due_at,
                    origin, details, state
             FROM sagas AS s JOIN orders USING (order_id)
             WHERE s.order_id > $1 AND s.order_id <= $2
             ORDER BY s.order_id LIMIT $3",
            after.0,
            until.0,
            i64::from(limit)
        );
        self.0.rows(query, |row| Ok(row.record())).await
    }
}
