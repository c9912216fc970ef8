//! A customer of a server, over HTTP.

use futures::stream::{self, StreamExt};
use ordermill_client::{Client, Error, Method, Options, RawResponse, RequestBuilder, StatusCode};
pub use ordermill_client::{Order, ProductStock};
use serde::de::DeserializeOwned;
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
/// Tests decide themselves how much they ask at once.
const REQUESTS_MAX: usize = 100_000;

/// A customer of a shop that has a server, or many.
#[derive(Clone)]
pub struct Shop {
    /// Servers of the same kind, taken in turn.
    servers: Vec<Client>,
    taken: Arc<AtomicUsize>,
    /// Paths that begin so are asked for elsewhere.
    departments: Vec<(&'static str, Client)>,
}

/// Whether the customer has, or will get, what was ordered.
pub fn is_fulfilled(order: &Order) -> bool {
    matches!(order.status.as_str(), "CONFIRMED" | "SHIPPED" | "COMPLETED")
}

/// Whether the goods have left the stock.
pub fn has_left(order: &Order) -> bool {
    matches!(order.status.as_str(), "SHIPPED" | "COMPLETED")
}

/// Why an order failed, as `step: reason`; empty when it did not.
pub fn failure(order: &Order) -> String {
    order.failure.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// An order of so many of each of these, at 9.90 apiece.
pub fn order(customer: &str, lines: &[(&str, u64)], method: &str) -> Value {
    let item = |(product, quantity): &(&str, u64)| json!({"product_id": product, "quantity": quantity, "unit_price": 9.90});
    let items: Vec<Value> = lines.iter().map(item).collect();
    json!({"customer_id": customer, "payment_method": method, "items": items})
}

fn client(url: &str, answer_limit: Duration) -> Client {
    let options = Options {
        api_key: None,
        request_timeout: answer_limit,
        connect_timeout: answer_limit,
        requests_max: REQUESTS_MAX,
        busy_timeout: PATIENCE,
        busy_pause_max: POLL_EVERY,
    };
    Client::new(url, options)
}

impl Shop {
    pub fn at(url: &str) -> Self {
        Self::at_all(vec![url.to_owned()])
    }

    /// The same, by somebody who goes away when there is no answer within this time.
    pub fn waiting_at_most(self, limit: Duration) -> Self {
        let servers = self.servers.iter().map(|server| client(server.url(), limit)).collect();
        Self { servers, ..self }
    }

    /// A customer who takes these servers in turn.
    pub fn at_all(urls: Vec<String>) -> Self {
        let servers = urls.iter().map(|url| client(url, ANSWER_LIMIT)).collect();
        Self { servers, taken: Arc::default(), departments: Vec::new() }
    }

    /// The same, where paths that begin so are asked for at these URLs.
    pub fn with_departments(self, departments: Vec<(&'static str, String)>) -> Self {
        let department = |(prefix, url): (_, String)| (prefix, client(&url, ANSWER_LIMIT));
        Self { departments: departments.into_iter().map(department).collect(), ..self }
    }

    /// Where its services are.
    pub fn urls(&self) -> Vec<String> {
        let departments = self.departments.iter().map(|(_, department)| department);
        self.servers.iter().take(1).chain(departments).map(|it| it.url().to_owned()).collect()
    }

    /// The server to ask for a path.
    pub fn server(&self, path: &str) -> &Client {
        let department = self.departments.iter().find(|(prefix, _)| path.starts_with(prefix));
        match department {
            Some((_, department)) => department,
            None => &self.servers[self.taken.fetch_add(1, Relaxed) % self.servers.len()],
        }
    }

    /// A request that is not sent yet.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.server(path).request(method, path)
    }

    /// Asks, and asks again while the server is busy. An error: there is no answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<(StatusCode, Value), Error> {
        let server = self.server(path);
        server.ask(filled(server.request(method, path), body, key)).await.map(read)
    }

    /// Asks once.
    pub async fn once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<(StatusCode, Value), Error> {
        let server = self.server(path);
        server.once(filled(server.request(method, path), body, key)).await.map(read)
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
        self.server("/inventory").stock(product, quantity).await.unwrap();
    }

    /// Places an order that must be accepted; its id.
    pub async fn place(&self, order: &Value) -> String {
        self.server("/orders").place(order, None).await.unwrap().to_string()
    }

    /// Places all of them, so many at a time; their ids, in the same order.
    pub async fn place_all(&self, orders: &[Value], at_a_time: usize) -> Vec<String> {
        stream::iter(orders).map(|order| self.place(order)).buffered(at_a_time).collect().await
    }

    /// One order.
    pub async fn order(&self, id: &str) -> Order {
        self.server("/orders").order(id.parse().unwrap()).await.unwrap()
    }

    /// Every order of the shop.
    pub async fn orders(&self) -> Vec<Order> {
        self.list("/orders").await
    }

    /// Every product of the shop.
    pub async fn stock_rows(&self) -> BTreeMap<String, ProductStock> {
        let stock = |product: Value| {
            let id = product["product_id"].as_str().unwrap().to_owned();
            (id, serde_json::from_value(product).unwrap())
        };
        self.list("/inventory").await.into_iter().map(stock).collect()
    }

    /// A list, all its pages.
    pub async fn list<T: DeserializeOwned>(&self, path: &str) -> Vec<T> {
        self.server(path).list(path, &[], usize::MAX).await.unwrap().entries
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
                if orders.iter().all(Order::is_at_rest) {
                    return orders;
                }
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
        let orders = self.orders().await;
        let moving: Vec<_> = orders.iter().filter(|order| !order.is_at_rest()).collect();
        let (count, first) = (moving.len(), &moving[..moving.len().min(5)]);
        panic!("{count} orders are not at rest after {within:?}, as these: {first:#?}");
    }

    async fn something_moves(&self) -> bool {
        for status in ["IN_PROGRESS", "COMPENSATING", "FAILED"] {
            if self.server("/admin").has_sagas(status).await.unwrap() {
                return true;
            }
        }
        false
    }
}

fn filled(mut request: RequestBuilder, body: Option<&Value>, key: Option<&str>) -> RequestBuilder {
    if let Some(body) = body {
        request = request.json(body);
    }
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    request
}

fn read(RawResponse { status, text, .. }: RawResponse) -> (StatusCode, Value) {
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
