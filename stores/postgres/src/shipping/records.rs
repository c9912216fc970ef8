//! The records that reconciliation compares.

use super::ShippingDatabase;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::reconciliation::{Record, ShipmentRecord, Span};
use ordermill_rows::shipping::StoredShipment;

#[async_trait]
impl OrderRecords<ShipmentRecord> for ShippingDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<ShipmentRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        self.0
            .read(move |readers| async move {
                let rows = sqlx::query_as!(
                    StoredShipment::<Timestamp>,
                    "SELECT order_id, status, decided_at, reason, tracking_code,
                              freight_minor, currency, estimated_delivery, units, priority, address,
                              dispatched_at
                       FROM shipments WHERE order_id > $1 AND order_id <= $2
                       ORDER BY order_id LIMIT $3",
                    after.0,
                    until.0,
                    i64::from(limit)
                )
                .fetch_all(&readers)
                .await?;
                Ok(rows.into_iter().map(StoredShipment::record).collect())
            })
            .await
    }
}
