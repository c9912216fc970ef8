//! The operations that Ordermill's programs use. Each fails when there is no answer, or not the expected one.

use crate::views::{
    CreatedKey, Discarded, Key, Order, Overview, ProductStock, Queue, Redriven, Refund, Tree,
};
use crate::{Client, Error};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

/// Entries of a page: the most that a server gives.
const PAGE: usize = 200;
/// Maximum time of a download: a large database on a slow line.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Entries of a list.
#[derive(Clone, Debug)]
pub struct List<T> {
    /// The entries, in the order of the server.
    pub entries: Vec<T>,
    /// Whether the server may have more.
    pub has_more: bool,
}

/// A page of a list: each list names its entries differently.
#[derive(Deserialize)]
struct Page<T> {
    #[serde(alias = "orders", alias = "sagas", alias = "products", alias = "queues")]
    #[serde(alias = "dead_letters", alias = "discarded", alias = "records", alias = "keys")]
    entries: Vec<T>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Placed {
    order_id: Uuid,
}

#[derive(Deserialize)]
struct Refunds {
    refunds: Vec<Refund>,
}

/// The queue of one dead letter.
#[derive(Deserialize)]
struct LetterQueue {
    queue: String,
}

impl Client {
    /// Places an order, under an idempotency key or without one. Returns its id.
    pub async fn place(&self, order: &impl Serialize, key: Option<&str>) -> Result<Uuid, Error> {
        let mut request = self.post("/orders").json(order);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        self.read(request).await.map(|Placed { order_id }| order_id)
    }

    /// An order.
    pub async fn order(&self, id: Uuid) -> Result<Order, Error> {
        self.get(&format!("/orders/{id}"), &[]).await
    }

    /// The same, once the order has a page where it can be paid, or can have none any more; after ten seconds as it is.
    pub async fn order_with_page(&self, id: Uuid) -> Result<Order, Error> {
        let query = [("wait", "payment_url"), ("timeout", "10s")];
        self.get(&format!("/orders/{id}"), &query).await
    }

    /// Requests `cancel`, `dispatch` or `delivery` of an order.
    pub async fn request_of(&self, order: Uuid, action: &str) -> Result<(), Error> {
        let request = self.post(&format!("/orders/{order}/{action}"));
        self.read(request).await.map(|IgnoredAny| ())
    }

    /// Refunds a part of an order: `{"lines": …}`, `{"amount": …}` or `{"rest": true}`. The same key is the same refund.
    pub async fn refund(
        &self,
        order: Uuid,
        key: &str,
        refund: &impl Serialize,
    ) -> Result<Refund, Error> {
        let request = self.post(&format!("/orders/{order}/refunds")).json(refund);
        self.read(request.header("Idempotency-Key", key)).await
    }

    /// The refunds of an order, oldest first.
    pub async fn refunds(&self, order: Uuid) -> Result<Vec<Refund>, Error> {
        let Refunds { refunds } = self.get(&format!("/orders/{order}/refunds"), &[]).await?;
        Ok(refunds)
    }

    /// Creates a product with so many available units.
    pub async fn stock(&self, product: &str, available: i64) -> Result<(), Error> {
        let body = json!({ "product_id": product, "available_qty": available });
        self.read(self.post("/inventory").json(&body)).await.map(|IgnoredAny| ())
    }

    /// The stock of a product.
    pub async fn product(&self, product: &str) -> Result<ProductStock, Error> {
        self.get(&self.path_of("/inventory", product), &[]).await
    }

    /// Whether any saga has this status.
    pub async fn has_sagas(&self, status: &str) -> Result<bool, Error> {
        let sagas = self.list::<IgnoredAny>("/admin/sagas", &[("status", status)], 1).await?;
        Ok(!sagas.entries.is_empty())
    }

    /// The queues of the services in the process.
    pub async fn queues(&self) -> Result<Vec<Queue>, Error> {
        self.get("/admin/queues", &[]).await.map(|page: Page<_>| page.entries)
    }

    /// The metrics in the text format of Prometheus.
    pub async fn metrics(&self) -> Result<String, Error> {
        self.text(self.request(Method::GET, "/metrics")).await
    }

    /// The actors that these filters select.
    pub async fn actors(&self, filters: &[(&str, &str)]) -> Result<Tree, Error> {
        self.get("/admin/actors", filters).await
    }

    /// Redrives a dead letter. Returns the queue.
    pub async fn redrive(&self, id: Uuid) -> Result<String, Error> {
        let request = self.post(&format!("/admin/dead-letters/{id}/redrive"));
        self.read(request).await.map(|LetterQueue { queue }| queue)
    }

    /// Redrives all dead letters of a queue.
    pub async fn redrive_all(&self, queue: &str) -> Result<Redriven, Error> {
        self.read(self.post("/admin/dead-letters/redrive").query(&[("queue", queue)])).await
    }

    /// Discards a dead letter. Returns the queue.
    pub async fn discard(&self, id: Uuid, reason: &str) -> Result<String, Error> {
        let request = self.post(&format!("/admin/dead-letters/{id}/discard"));
        let request = request.json(&json!({ "reason": reason }));
        self.read(request).await.map(|LetterQueue { queue }| queue)
    }

    /// Discards all unreadable dead letters of a queue.
    pub async fn discard_all(&self, queue: &str, reason: &str) -> Result<Discarded, Error> {
        let request = self.post("/admin/dead-letters/discard").query(&[("queue", queue)]);
        self.read(request.json(&json!({ "reason": reason }))).await
    }

    /// All API keys.
    pub async fn keys(&self) -> Result<Vec<Key>, Error> {
        self.get("/admin/keys", &[]).await.map(|page: Page<_>| page.entries)
    }

    /// Creates an API key.
    pub async fn create_key(&self, key: &impl Serialize) -> Result<CreatedKey, Error> {
        self.read(self.post("/admin/keys").json(key)).await
    }

    /// Revokes an API key.
    pub async fn revoke_key(&self, id: &str, reason: &str) -> Result<(), Error> {
        let path = format!("{}/revoke", self.path_of("/admin/keys", id));
        let request = self.post(&path);
        self.text(request.header("X-Reason", reason)).await.map(|_| ())
    }

    /// Replaces an API key.
    pub async fn rotate_key(&self, id: &str) -> Result<CreatedKey, Error> {
        let path = self.path_of("/admin/keys", id);
        self.read(self.post(&format!("{path}/rotate"))).await
    }

    /// The records that the server provides for reconciliation.
    pub async fn overview(&self) -> Result<Overview, Error> {
        self.get("/admin/reconciliation", &[]).await
    }

    /// Records of one kind for reconciliation.
    pub async fn records<T: DeserializeOwned>(
        &self,
        kind: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, Error> {
        let path = format!("/admin/reconciliation/{kind}");
        self.get(&path, query).await.map(|page: Page<_>| page.entries)
    }

    /// Republishes the messages of these orders.
    pub async fn republish(&self, orders: &[Uuid]) -> Result<(), Error> {
        let request = self.post("/admin/reconciliation/repairs");
        self.read(request.json(&json!({ "order_ids": orders }))).await.map(|IgnoredAny| ())
    }

    /// A backup, to be read while it arrives.
    pub async fn backup(&self) -> Result<Response, Error> {
        self.download(self.post("/admin/backup").timeout(DOWNLOAD_TIMEOUT)).await
    }

    /// At most so many entries of a list, page by page.
    pub async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        filters: &[(&str, &str)],
        max: usize,
    ) -> Result<List<T>, Error> {
        let (mut entries, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let limit = PAGE.min(max - entries.len()).to_string();
            let mut query = [filters, &[("limit", &limit)]].concat();
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page: Page<T> = self.get(path, &query).await?;
            entries.extend(page.entries);
            cursor = page.next_cursor;
            if cursor.is_none() || entries.len() >= max {
                return Ok(List { entries, has_more: cursor.is_some() });
            }
        }
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }
}
