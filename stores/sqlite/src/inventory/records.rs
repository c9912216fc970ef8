//! The records that reconciliation compares.

use super::InventoryDatabase;
use crate::columns::Micros;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::{OrderRecords, ProductRecords};
use ordermill_domain::ids::ProductId;
use ordermill_domain::reconciliation::{ProductRecord, Record, ReservationRecord, Span};
use ordermill_rows::inventory::{StoredProduct, StoredReservation};
use uuid::Uuid;

#[async_trait]
impl OrderRecords<ReservationRecord> for InventoryDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<ReservationRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        self.0
            .read(move |readers| async move {
                let rows = sqlx::query_as!(
                    StoredReservation::<Micros>,
                    r#"SELECT order_id AS "order_id: Uuid", status, lines, refusal, updated_at
                       FROM reservations WHERE order_id > ?1 AND order_id <= ?2
                       ORDER BY order_id LIMIT ?3"#,
                    after.0,
                    until.0,
                    limit
                )
                .fetch_all(&readers)
                .await?;
                Ok(rows.into_iter().map(StoredReservation::record).collect())
            })
            .await
    }
}

#[async_trait]
impl ProductRecords for InventoryDatabase {
    async fn products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRecord>, ReadError> {
        let after = after.map(|product| product.0.to_string());
        self.0
            .read(move |readers| async move {
                // One statement, so that stock and reservations are of the same moment.
                let rows = sqlx::query_as!(
                    StoredProduct,
                    r#"WITH page AS MATERIALIZED (
                           SELECT product_id, on_hand, reserved, version FROM stock
                           WHERE ?1 IS NULL OR product_id > ?1 ORDER BY product_id LIMIT ?2
                       ), held AS MATERIALIZED (
                           SELECT line.value ->> 'product_id' AS product_id,
                                  sum(line.value ->> 'quantity') AS claimed
                           FROM reservations CROSS JOIN json_each(lines) AS line
                           WHERE status = 'RESERVED' GROUP BY 1
                       )
                       SELECT page.product_id AS "product_id!", page.on_hand AS "on_hand!: i64",
                              page.reserved AS "reserved!: i64", page.version AS "version!: i64",
                              coalesce(claimed, 0) AS "claimed!: i64",
                              ledger.version AS "ledger_version?: i64",
                              ledger.on_hand AS "ledger_on_hand?: i64",
                              ledger.reserved AS "ledger_reserved?: i64"
                       FROM page LEFT JOIN held ON held.product_id = page.product_id
                       LEFT JOIN movements AS ledger ON ledger.product_id = page.product_id
                           AND ledger.version = (SELECT max(newest.version) FROM movements AS newest
                                                 WHERE newest.product_id = page.product_id)
                       ORDER BY page.product_id"#,
                    after,
                    limit
                )
                .fetch_all(&readers)
                .await?;
                Ok(rows.into_iter().map(StoredProduct::record).collect::<Result<_, _>>()?)
            })
            .await
    }
}
