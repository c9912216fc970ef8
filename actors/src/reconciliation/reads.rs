//! How the records are read in bulk: by order, a span at a time.

use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::ids::ProductId;
use ordermill_domain::reconciliation::{ProductRecord, Record, Span};

/// Reads what a service says of many orders.
#[async_trait]
pub trait OrderRecords<T>: Send + Sync + 'static {
    /// Its records of the orders of a span, by order; one record an order.
    async fn records(&self, span: Span) -> Result<Vec<Record<T>>, ReadError>;
}

/// Reads what the inventory service says of products.
#[async_trait]
pub trait ProductRecords: Send + Sync + 'static {
    /// Its records of the products after one of them, by their ids, `limit` at most. Stock and reservations of
    /// an answer are of the same moment.
    async fn products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRecord>, ReadError>;
}
