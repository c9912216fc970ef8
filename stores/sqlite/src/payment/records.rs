//! The records that reconciliation compares.

use super::PaymentDatabase;
use crate::columns;
use crate::error::Error;
use async_trait::async_trait;
use ordermill_actors::ports::ReadError;
use ordermill_actors::reconciliation::OrderRecords;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{Payment, PaymentRow};
use ordermill_domain::reconciliation::{PaymentRecord, Record, Span};
use std::sync::Arc;
use uuid::Uuid;

#[async_trait]
impl OrderRecords<PaymentRecord> for PaymentDatabase {
    async fn records(&self, span: Span) -> Result<Vec<Record<PaymentRecord>>, ReadError> {
        let Span { after, until, limit } = span;
        self.0
            .read(move |readers| async move {
                let rows = sqlx::query!(
                    r#"SELECT order_id AS "order_id: Uuid", version, payment FROM payments
                       WHERE order_id > ?1 AND order_id <= ?2 ORDER BY order_id LIMIT ?3"#,
                    after.0,
                    until.0,
                    limit
                )
                .fetch_all(&readers)
                .await?;
                let records = rows.into_iter().map(|row| {
                    let order_id = OrderId(row.order_id);
                    let says = record(order_id, row.version, &row.payment);
                    Record { order_id, says: says.map_err(|error| error.to_string()) }
                });
                Ok(records.collect())
            })
            .await
    }
}

fn record(order_id: OrderId, version: i64, payment: &str) -> Result<PaymentRecord, Error> {
    let payment: Payment = serde_json::from_str(payment).map_err(Error::corrupt("payment"))?;
    let row =
        PaymentRow { order_id, version: columns::count(version)?, payment: Arc::new(payment) };
    Ok((&row.view()).into())
}
