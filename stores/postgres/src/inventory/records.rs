//! The records that reconciliation compares.

use super::InventoryDatabase;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::{OrderRecords, ProductRecords};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::ProductId;
use ordermill_domain::reconciliation::{ProductRecord, Record, ReservationRecord, Span};
use ordermill_rows::inventory::{StoredProduct, StoredReservation};

#[async_trait]
impl OrderRecords<ReservationRecord> for InventoryDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<ReservationRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        self.0
            .read(move |readers| async move {
                let rows = sqlx::query_as!(
                    StoredReservation::<Timestamp>,
                    "SELECT order_id, status, lines, refusal, updated_at
                       FROM reservations WHERE order_id > $1 AND order_id <= $2
                       ORDER BY order_id LIMIT $3",
                    after.0,
                    until.0,
                    i64::from(limit)
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
                // One statement, so that stock and reservations are of the same moment. The newest movement is
                // found by its key, product by product: a join would read the whole ledger.
                let rows = sqlx::query_as!(
                    StoredProduct,
                    r#"WITH page AS MATERIALIZED (
                           SELECT product_id, on_hand, reserved, version FROM stock
                           WHERE $1::text IS NULL OR product_id > $1 ORDER BY product_id LIMIT $2
                       ), held AS MATERIALIZED (
                           SELECT line ->> 'product_id' AS product_id,
                                  sum((line ->> 'quantity')::bigint) AS claimed
                           FROM reservations
                           CROSS JOIN LATERAL json_array_elements(lines::json) AS line
                           WHERE status = 'RESERVED' GROUP BY 1
                       )
                       SELECT page.product_id AS "product_id!", page.on_hand AS "on_hand!",
                              page.reserved AS "reserved!", page.version AS "version!",
                              coalesce(claimed, 0)::bigint AS "claimed!",
                              ledger.version AS "ledger_version?",
                              ledger.on_hand AS "ledger_on_hand?",
                              ledger.reserved AS "ledger_reserved?"
                       FROM page LEFT JOIN held ON held.product_id = page.product_id
                       LEFT JOIN LATERAL (
                           SELECT version, on_hand, reserved FROM movements
                           WHERE movements.product_id = page.product_id
                           ORDER BY version DESC LIMIT 1
                       ) AS ledger ON true
                       ORDER BY page.product_id"#,
                    after,
                    i64::from(limit)
                )
                .fetch_all(&readers)
                .await?;
                Ok(rows.into_iter().map(StoredProduct::record).collect::<Result<_, _>>()?)
            })
            .await
    }
}
