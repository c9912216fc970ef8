//! Reads of orders, and the sweeper's claim.

use crate::columns::{Micros, json_rows, micros};
use crate::database::Database;
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::order::{DueOrders, OrderFilter, OrderReads, UnreadableOrder};
use ordermill_actors::ports::ReadError;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::order::{HistoryRow, Saga};
use ordermill_rows::count;
use ordermill_rows::order::{StoredHistory, StoredOrder};
use serde::Serialize;
use uuid::Uuid;

/// The order service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct OrderDatabase(pub Database);

/// An order of a list, where one that cannot be read must not hide the others.
fn listed(row: StoredOrder<Micros>) -> Result<Saga, UnreadableOrder> {
    let order_id = OrderId(row.order_id);
    row.saga().map_err(|error| UnreadableOrder { order_id, cause: error.to_string() })
}

#[async_trait]
impl OrderReads for OrderDatabase {
    async fn order(&self, id: OrderId) -> Result<Option<Saga>, ReadError> {
        self.0
            .read(move |readers| async move {
                let row = sqlx::query_as!(
                    StoredOrder::<Micros>,
                    r#"SELECT s.order_id AS "order_id: Uuid", version, created_at, updated_at, due_at,
                              origin, details, state
                       FROM sagas AS s JOIN orders USING (order_id) WHERE s.order_id = ?1"#,
                    id.0
                )
                .fetch_optional(&readers)
                .await?;
                Ok(row.map(StoredOrder::saga).transpose()?)
            })
            .await
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        limit: u32,
    ) -> Result<Vec<Result<Saga, UnreadableOrder>>, ReadError> {
        let under_way = filter.is_of_those_under_way();
        let OrderFilter { customer_id, status, saga_status, before } = filter.clone();
        let (status, saga_status) = (status.map(|s| s.as_str()), saga_status.map(|s| s.as_str()));
        let before = before.map_or(Uuid::max(), |order| order.0);
        self.0
            .read(move |readers| async move {
                // Three statements: each goes by its own index, whatever the planner makes of an OR.
                // CROSS JOIN keeps the tables in the order in which they are named.
                let rows = match customer_id {
                    Some(customer_id) => {
                        sqlx::query_as!(
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
                        )
                        .fetch_all(&readers)
                        .await?
                    }
                    None if under_way => {
                        sqlx::query_as!(
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
                        )
                        .fetch_all(&readers)
                        .await?
                    }
                    None => {
                        sqlx::query_as!(
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
                        )
                        .fetch_all(&readers)
                        .await?
                    }
                };
                Ok(rows.into_iter().map(listed).collect())
            })
            .await
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
        self.0
            .read(move |readers| async move {
                let rows = sqlx::query_as!(
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
                )
                .fetch_all(&readers)
                .await?;
                Ok(rows.into_iter().map(StoredHistory::row).collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn open(&self) -> Result<(u64, u64), ReadError> {
        self.0
            .read(move |readers| async move {
                let row = sqlx::query!(
                    r#"SELECT (SELECT count(*) FROM sagas WHERE due_at IS NOT NULL) AS "open!: i64",
                              (SELECT count(*) FROM sagas WHERE saga_status = 'FAILED')
                                AS "failed!: i64""#
                )
                .fetch_one(&readers)
                .await?;
                Ok((count(row.open)?, count(row.failed)?))
            })
            .await
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
        let any = self
            .0
            .read(move |readers| async move {
                let row =
                    sqlx::query!("SELECT 1 AS one FROM sagas WHERE due_at <= ?1 LIMIT 1", now)
                        .fetch_optional(&readers)
                        .await?;
                Ok::<_, Error>(row.is_some())
            })
            .await?;
        if !any {
            return Ok(Vec::new());
        }
        self.0
            .write(move |writer| async move {
                let rows = sqlx::query!(
                    r#"UPDATE sagas SET due_at = ?2
                       WHERE order_id IN (SELECT order_id FROM sagas WHERE due_at <= ?1
                                          ORDER BY due_at LIMIT ?3)
                       RETURNING order_id AS "order_id!: Uuid""#,
                    now,
                    until,
                    limit
                )
                .fetch_all(&writer)
                .await?;
                Ok(rows.into_iter().map(|row| OrderId(row.order_id)).collect())
            })
            .await
    }

    async fn forget_claims(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        let before = micros(before);
        self.0
            .write(move |writer| async move {
                let done = sqlx::query!(
                    "DELETE FROM idempotency_keys WHERE key IN (
                         SELECT key FROM idempotency_keys WHERE created_at < ?1
                         ORDER BY created_at LIMIT ?2)",
                    before,
                    limit
                )
                .execute(&writer)
                .await?;
                Ok(done.rows_affected())
            })
            .await
    }
}
