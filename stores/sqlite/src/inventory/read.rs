//! Reads of inventory's tables, and what retention forgets of them.

use crate::columns::{Micros, micros};
use crate::database::Database;
use async_trait::async_trait;
use ordermill_actors::inventory::InventoryReads;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::{OrderRecords, ProductRecords};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{MovementRow, ReservationRow, StockRow};
use ordermill_domain::reconciliation::{ProductRecord, Record, ReservationRecord, Span};
use ordermill_rows::inventory::{StoredMovement, StoredProduct, StoredReservation, StoredStock};
use uuid::Uuid;

/// The inventory service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct InventoryDatabase(pub Database);

#[async_trait]
impl InventoryReads for InventoryDatabase {
    async fn stock(&self, product: &ProductId) -> Result<Option<StockRow>, ReadError> {
        let query = sqlx::query_as!(
            StoredStock,
            "SELECT product_id, on_hand, reserved, version FROM stock WHERE product_id = ?1",
            product.as_str()
        );
        self.0.row(query, StoredStock::stock).await
    }

    async fn list(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<StockRow>, ReadError> {
        // Every text comes after the empty one, which is nobody's id.
        let after = after.map_or("", ProductId::as_str);
        let query = sqlx::query_as!(
            StoredStock,
            "SELECT product_id, on_hand, reserved, version FROM stock
             WHERE product_id > ?1 ORDER BY product_id LIMIT ?2",
            after,
            limit
        );
        self.0.rows(query, StoredStock::stock).await
    }

    async fn reservation(&self, order: OrderId) -> Result<Option<ReservationRow>, ReadError> {
        let query = sqlx::query_as!(
            StoredReservation::<Micros>,
            r#"SELECT order_id AS "order_id: Uuid", status, lines, refusal, updated_at
               FROM reservations WHERE order_id = ?1"#,
            order.0
        );
        self.0.row(query, StoredReservation::reservation).await
    }

    async fn movements(
        &self,
        product: &ProductId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<MovementRow>, ReadError> {
        let product = product.clone();
        let (id, before) = (product.as_str(), before.map_or(i64::MAX, u64::cast_signed));
        let query = sqlx::query_as!(
            StoredMovement::<Micros>,
            "SELECT version, on_hand, reserved, at, entries FROM movements
             WHERE product_id = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3",
            id,
            before,
            limit
        );
        self.0.rows(query, move |row| row.movement(product.clone())).await
    }

    async fn forget_movements(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        let before = micros(before);
        let query = sqlx::query!(
            "DELETE FROM movements WHERE rowid IN (
                 SELECT id FROM (SELECT rowid AS id, at FROM movements ORDER BY rowid LIMIT ?2)
                 WHERE at < ?1)",
            before,
            limit
        );
        self.0.execute(query).await
    }

    async fn forget_adjustment_keys(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, ReadError> {
        let before = micros(before);
        let query = sqlx::query!(
            "DELETE FROM adjustment_keys WHERE key IN (
                 SELECT key FROM adjustment_keys WHERE created_at < ?1
                 ORDER BY created_at LIMIT ?2)",
            before,
            limit
        );
        self.0.execute(query).await
    }
}

#[async_trait]
impl OrderRecords<ReservationRecord> for InventoryDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<ReservationRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        let query = sqlx::query_as!(
            StoredReservation::<Micros>,
            r#"SELECT order_id AS "order_id: Uuid", status, lines, refusal, updated_at
               FROM reservations WHERE order_id > ?1 AND order_id <= ?2
               ORDER BY order_id LIMIT ?3"#,
            after.0,
            until.0,
            limit
        );
        self.0.rows(query, |row| Ok(row.record())).await
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
        // One statement, so that stock and reservations are of the same moment.
        let query = sqlx::query_as!(
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
        );
        self.0.rows(query, StoredProduct::record).await
    }
}
