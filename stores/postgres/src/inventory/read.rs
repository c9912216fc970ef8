//! Reads of inventory's tables, and what retention forgets of them.

use crate::columns::{number, time};
use crate::database::Database;
use async_trait::async_trait;
use ordermill_actors::inventory::InventoryReads;
use ordermill_actors::ports::ReadError;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{MovementRow, ReservationRow, StockRow};
use ordermill_rows::inventory::{StoredMovement, StoredReservation, StoredStock};

/// The inventory service's database, as its readers see it.
#[derive(Clone, Debug)]
pub struct InventoryDatabase(pub Database);

#[async_trait]
impl InventoryReads for InventoryDatabase {
    async fn stock(&self, product: &ProductId) -> Result<Option<StockRow>, ReadError> {
        let product = product.clone();
        let read = self.0.read(move |pool| async move {
            let product = product.as_str();
            let row = sqlx::query_as!(
                StoredStock,
                "SELECT product_id, on_hand, reserved, version FROM stock WHERE product_id = $1",
                product
            )
            .fetch_optional(&pool)
            .await?;
            Ok(row.map(StoredStock::stock).transpose()?)
        });
        read.await
    }

    async fn list(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<StockRow>, ReadError> {
        let after = after.cloned();
        let read = self.0.read(move |pool| async move {
            // Every text comes after the empty one, which is nobody's id.
            let after = after.as_ref().map_or("", ProductId::as_str);
            let rows = sqlx::query_as!(
                StoredStock,
                "SELECT product_id, on_hand, reserved, version FROM stock
                 WHERE product_id > $1 ORDER BY product_id LIMIT $2",
                after,
                i64::from(limit)
            )
            .fetch_all(&pool)
            .await?;
            Ok(rows.into_iter().map(StoredStock::stock).collect::<Result<_, _>>()?)
        });
        read.await
    }

    async fn reservation(&self, order: OrderId) -> Result<Option<ReservationRow>, ReadError> {
        let read = self.0.read(move |pool| async move {
            let row = sqlx::query_as!(
                StoredReservation::<Timestamp>,
                "SELECT order_id, status, lines, refusal, updated_at
                 FROM reservations WHERE order_id = $1",
                order.0
            )
            .fetch_optional(&pool)
            .await?;
            Ok(row.map(StoredReservation::reservation).transpose()?)
        });
        read.await
    }

    async fn movements(
        &self,
        product: &ProductId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<MovementRow>, ReadError> {
        let product = product.clone();
        let read = self.0.read(move |pool| async move {
            let rows = sqlx::query_as!(
                StoredMovement::<Timestamp>,
                "SELECT version, on_hand, reserved, at, entries FROM movements
                 WHERE product_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3",
                product.as_str(),
                before.map_or(i64::MAX, number),
                i64::from(limit)
            )
            .fetch_all(&pool)
            .await?;
            let movements = rows.into_iter().map(|row| row.movement(product.clone()));
            Ok(movements.collect::<Result<_, _>>()?)
        });
        read.await
    }

    async fn forget_movements(&self, before: Timestamp, limit: u32) -> Result<u64, ReadError> {
        let forgotten = self.0.write(move |conn| {
            Box::pin(async move {
                // In the order of the table, which is about that of their times: to sort what is old
                // would be to read all of it for each step.
                let done = sqlx::query!(
                    "DELETE FROM movements WHERE ctid = ANY(ARRAY(
                         SELECT ctid FROM movements WHERE at < $1 LIMIT $2
                         FOR UPDATE SKIP LOCKED))",
                    time(before),
                    i64::from(limit)
                );
                Ok(done.execute(conn).await?.rows_affected())
            })
        });
        forgotten.await
    }

    async fn forget_adjustment_keys(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, ReadError> {
        let forgotten = self.0.write(move |conn| {
            Box::pin(async move {
                let done = sqlx::query!(
                    "DELETE FROM adjustment_keys WHERE key IN (
                         SELECT key FROM adjustment_keys WHERE created_at < $1
                         ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
                    time(before),
                    i64::from(limit)
                );
                Ok(done.execute(conn).await?.rows_affected())
            })
        });
        forgotten.await
    }
}
