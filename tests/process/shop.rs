//! A customer of a server, over HTTP, and what the answers say.

use futures::stream::{self, StreamExt};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How long a busy server is asked again.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether orders are at rest.
const POLL_EVERY: Duration = Duration::from_millis(100);

/// A customer of a shop that has a server, or many.
#[derive(Clone)]
pub struct Shop {
    pub http: reqwest::Client,
    pub url: String,
    /// Doors of the same kind, taken in turn.
    servers: Arc<Vec<String>>,
    taken: Arc<AtomicUsize>,
    /// Paths that begin so are asked for elsewhere.
    departments: Vec<(&'static str, String)>,
}

/// An order, as the lists show it.
#[derive(Clone, Debug, Deserialize)]
pub struct Order {
    pub order_id: String,
    pub customer_id: String,
    pub flow: String,
    pub status: String,
    pub saga: Saga,
    pub failure: Option<Failure>,
    pub items: Vec<Item>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Saga {
    pub status: String,
    #[expect(dead_code, reason = "read by whoever looks at a failed test")]
    step: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Failure {
    pub step: String,
    pub reason: String,
    #[serde(default)]
    pub shortages: Vec<Shortage>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Shortage {
    pub product_id: String,
    pub requested: i64,
    pub available: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Item {
    pub product_id: String,
    pub quantity: i64,
}

impl Order {
    /// Whether nothing more happens to it unless somebody asks.
    pub fn rests(&self) -> bool {
        matches!(self.saga.status.as_str(), "COMPLETED" | "COMPENSATED")
    }

    /// Whether the customer has, or will get, what was ordered.
    pub fn is_fulfilled(&self) -> bool {
        matches!(self.status.as_str(), "CONFIRMED" | "SHIPPED" | "COMPLETED")
    }

    /// Whether the goods have left the stock.
    pub fn has_left(&self) -> bool {
        matches!(self.status.as_str(), "SHIPPED" | "COMPLETED")
    }

    /// Why it failed, as `step: reason`; empty when it did not.
    pub fn failure(&self) -> String {
        let failure = self.failure.as_ref();
        failure.map(|failure| format!("{}: {}", failure.step, failure.reason)).unwrap_or_default()
    }
}

/// A product's stock.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct ProductStock {
    pub available_qty: i64,
    pub reserved_qty: i64,
    pub on_hand: i64,
}

/// An order of so many of each of these, at 9.90 apiece.
pub fn order(customer: &str, lines: &[(&str, u64)], method: &str) -> Value {
    let item = |(product, quantity): &(&str, u64)| json!({"product_id": product, "quantity": quantity, "unit_price": 9.90});
    let items: Vec<Value> = lines.iter().map(item).collect();
    json!({"customer_id": customer, "payment_method": method, "items": items})
}

fn client(answer_limit: Duration) -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(answer_limit).build().unwrap()
}

impl Shop {
    pub fn at(url: &str) -> Self {
        let http = client(ANSWER_LIMIT);
        let servers = Arc::new(vec![url.to_owned()]);
        Self { http, url: url.to_owned(), servers, taken: Arc::default(), departments: Vec::new() }
    }

    /// The same, by somebody who goes away when there is no answer within this time.
    pub fn waiting_at_most(self, limit: Duration) -> Self {
        Self { http: client(limit), ..self }
    }

    /// A customer who takes these servers in turn.
    pub fn at_all(urls: Vec<String>) -> Self {
        Self { servers: Arc::new(urls.clone()), ..Self::at(&urls[0]) }
    }

    /// The same, where paths that begin so are asked for at these URLs.
    pub fn with_departments(self, departments: Vec<(&'static str, String)>) -> Self {
        Self { departments, ..self }
    }

    /// Where its services are.
    pub fn urls(&self) -> Vec<String> {
        let departments = self.departments.iter().map(|(_, url)| url.clone());
        self.servers.iter().take(1).cloned().chain(departments).collect()
    }

    fn server(&self, path: &str) -> &str {
        let department = self.departments.iter().find(|(prefix, _)| path.starts_with(prefix));
        match department {
            Some((_, url)) => url,
            None => &self.servers[self.taken.fetch_add(1, Relaxed) % self.servers.len()],
        }
    }

    /// Asks, and asks again while the server is busy. An error: there is no answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<(StatusCode, Value), reqwest::Error> {
        let begun = Instant::now();
        loop {
            let answer = self.once(method.clone(), path, body, key).await?;
            if answer.0 == StatusCode::SERVICE_UNAVAILABLE && begun.elapsed() < PATIENCE {
                tokio::time::sleep(POLL_EVERY).await;
                continue;
            }
            return Ok(answer);
        }
    }

    /// Asks once.
    pub async fn once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<(StatusCode, Value), reqwest::Error> {
        let mut request = self.http.request(method, format!("{}{path}", self.server(path)));
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// What stands at a path.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None, None).await.unwrap();
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    /// Posts without a body.
    pub async fn post(&self, path: &str) -> (StatusCode, Value) {
        self.ask(Method::POST, path, None, None).await.unwrap()
    }

    /// Stocks a product.
    pub async fn stock(&self, product: &str, quantity: i64) {
        let body = json!({"product_id": product, "available_qty": quantity});
        let answer = self.ask(Method::POST, "/inventory", Some(&body), None).await.unwrap();
        assert_eq!(answer.0, StatusCode::CREATED, "{}", answer.1);
    }

    /// Places an order that must be accepted; its id.
    pub async fn place(&self, order: &Value) -> String {
        let (status, body) = self.ask(Method::POST, "/orders", Some(order), None).await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{body}");
        body["order_id"].as_str().unwrap().to_owned()
    }

    /// Places all of them, so many at a time; their ids, in the same order.
    pub async fn place_all(&self, orders: &[Value], at_a_time: usize) -> Vec<String> {
        stream::iter(orders).map(|order| self.place(order)).buffered(at_a_time).collect().await
    }

    /// One order.
    pub async fn order(&self, id: &str) -> Order {
        serde_json::from_value(self.get(&format!("/orders/{id}")).await).unwrap()
    }

    /// Every order of the shop.
    pub async fn orders(&self) -> Vec<Order> {
        let pages = self.pages("/orders?limit=200", "orders").await;
        pages.into_iter().map(|order| serde_json::from_value(order).unwrap()).collect()
    }

    /// Every product of the shop.
    pub async fn stock_rows(&self) -> BTreeMap<String, ProductStock> {
        let products = self.pages("/inventory?limit=200", "products").await;
        let stock = |product: Value| {
            let id = product["product_id"].as_str().unwrap().to_owned();
            (id, serde_json::from_value(product).unwrap())
        };
        products.into_iter().map(stock).collect()
    }

    /// A list, all its pages.
    pub async fn pages(&self, path: &str, list: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut address = path.to_owned();
        loop {
            let mut page = self.get(&address).await;
            all.append(page[list].as_array_mut().unwrap());
            match page["next_cursor"].as_str() {
                Some(cursor) => address = format!("{path}&cursor={cursor}"),
                None => return all,
            }
        }
    }

    /// Waits until an order is as it should be.
    pub async fn until(&self, id: &str, within: Duration, is_so: impl Fn(&Order) -> bool) -> Order {
        let begun = Instant::now();
        loop {
            let order = self.order(id).await;
            if is_so(&order) {
                return order;
            }
            assert!(begun.elapsed() < within, "after {within:?}: {order:#?}");
            tokio::time::sleep(POLL_EVERY / 2).await;
        }
    }

    /// Waits until what stands at a path is as it should be.
    pub async fn until_so(&self, within: Duration, path: &str, is_so: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        loop {
            let found = self.get(path).await;
            if is_so(&found) {
                return;
            }
            assert!(begun.elapsed() < within, "after {within:?} {path} is {found:#}");
            tokio::time::sleep(POLL_EVERY / 2).await;
        }
    }

    /// Waits until every order of the shop is at rest; all of them.
    pub async fn all_at_rest(&self, within: Duration) -> Vec<Order> {
        let begun = Instant::now();
        while begun.elapsed() < within {
            if !self.something_moves().await {
                let orders = self.orders().await;
                if orders.iter().all(Order::rests) {
                    return orders;
                }
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
        let orders = self.orders().await;
        let moving: Vec<_> = orders.iter().filter(|order| !order.rests()).collect();
        let (count, first) = (moving.len(), &moving[..moving.len().min(5)]);
        panic!("{count} orders are not at rest after {within:?}, as these: {first:#?}");
    }

    async fn something_moves(&self) -> bool {
        for status in ["IN_PROGRESS", "COMPENSATING", "FAILED"] {
            let sagas = self.get(&format!("/admin/sagas?status={status}&limit=1")).await;
            if !sagas["sagas"].as_array().unwrap().is_empty() {
                return true;
            }
        }
        false
    }
}
