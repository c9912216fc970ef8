//! A shop that is really listening, and a customer who talks to it.

use ordermill::app::App;
use ordermill::config::Config;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// An order has this long to get where it should: a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running shop.
pub struct Shop {
    app: Option<App>,
    pub directory: TempDir,
    pub url: String,
    pub client: Client,
}

/// What the shop answered.
#[derive(Debug)]
pub struct ShopResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl ShopResponse {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts a status; shows the body where it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Asserts a whole problem document, and gives it.
    #[track_caller]
    pub fn problem(self, status: u16) -> Value {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["title"], answer.status.canonical_reason().unwrap());
        assert_eq!(problem["request_id"], answer.header("x-request-id"));
        let detail = problem["detail"].as_str().unwrap();
        assert!(!detail.is_empty() && detail.len() < 400, "{detail}");
        for leak in ["struct", "enum", "serde", "poem", "integer(", "param0", "sqlx", "SQL"] {
            assert!(!answer.text.contains(leak), "`{leak}` is told: {}", answer.text);
        }
        problem
    }

    /// Asserts a problem with one of these fields at fault.
    #[track_caller]
    pub fn fault(self, status: u16, field: &str) -> Value {
        let problem = self.problem(status);
        let fields = problem["errors"].as_array().cloned().unwrap_or_default();
        assert!(fields.iter().any(|error| error["field"] == field), "{field}: {problem}");
        problem
    }
}

impl Shop {
    /// A shop with the settings of tests.
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// A shop with other settings.
    pub async fn with(set: impl FnOnce(&mut Config)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::for_testing(directory.path());
        set(&mut config);
        let app = App::start(config).await.unwrap();
        Self { url: app.url(), app: Some(app), directory, client: Client::new() }
    }

    /// A shop that is running already.
    pub fn running(app: App, directory: TempDir) -> Self {
        Self { url: app.url(), app: Some(app), directory, client: Client::new() }
    }

    /// Where webhooks are served.
    pub fn webhook_url(&self) -> String {
        self.app.as_ref().unwrap().webhook_url()
    }

    /// Ends it in good order.
    pub async fn close(mut self) -> TempDir {
        assert!(self.app.take().unwrap().stop().await, "everything in flight was committed");
        self.directory
    }

    /// Ends it and starts it again on the same data.
    pub async fn reopen(self) -> Self {
        self.reopen_with(|_| {}).await
    }

    /// The same with other settings.
    pub async fn reopen_with(self, set: impl FnOnce(&mut Config)) -> Self {
        Self::on_with(self.close().await, set).await
    }

    /// A shop on data that are there.
    pub async fn on(directory: TempDir) -> Self {
        Self::on_with(directory, |_| {}).await
    }

    async fn on_with(directory: TempDir, set: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::for_testing(directory.path());
        set(&mut config);
        let until = Instant::now() + PATIENCE;
        // Its databases close behind it, when the last connection has gone.
        let app = loop {
            match App::start(config.clone()).await {
                Ok(app) => break app,
                Err(error) => assert!(Instant::now() < until, "{error:#}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        Self { url: app.url(), app: Some(app), directory, client: Client::new() }
    }

    /// Ends it while somebody still looks at it.
    pub async fn stop_app(&mut self) -> bool {
        self.app.take().unwrap().stop().await
    }

    /// A service's own database, opened beside the running server.
    pub async fn database(&self, service: &str) -> SqliteConnection {
        let file = self.directory.path().join(format!("{service}.db"));
        SqliteConnectOptions::new().filename(file).connect().await.unwrap()
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str) -> ShopResponse {
        send(self.request(Method::GET, path)).await
    }

    /// POST without a body.
    pub async fn ask(&self, path: &str) -> ShopResponse {
        send(self.request(Method::POST, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> ShopResponse {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// A body as it is, said to be JSON.
    pub async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> ShopResponse {
        self.send_text(Method::POST, path, body).await
    }

    pub async fn send_text(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> ShopResponse {
        send(self.request(method, path).header("content-type", "application/json").body(body)).await
    }

    /// Puts a product in stock.
    pub async fn stock(&self, product: &str, available: u64) {
        let body = json!({ "product_id": product, "available_qty": available });
        self.post("/inventory", &body).await.expect(201);
    }

    /// Places an order that is taken; gives its id.
    pub async fn place(&self, order: &Value) -> String {
        id(&self.post("/orders", order).await.expect(201))
    }

    /// Waits until an order has a status; gives the order.
    pub async fn until(&self, order: &str, status: &str) -> Value {
        let seen = |view: &Value| view["status"] == status;
        self.wait(&format!("/orders/{order}"), seen).await
    }

    /// Waits until an answer is as it should be.
    pub async fn wait(&self, path: &str, seen: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await;
            let view = answer.json();
            if answer.status == StatusCode::OK && seen(&view) {
                return view;
            }
            assert!(Instant::now() < until, "{path} stays at {}", answer.text);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub async fn send(request: RequestBuilder) -> ShopResponse {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    ShopResponse { status, headers, text: response.text().await.unwrap() }
}

/// The id of a placed order.
pub fn id(answer: &ShopResponse) -> String {
    answer.json()["order_id"].as_str().unwrap().to_owned()
}

/// An order of one line.
pub fn order(product: &str, quantity: u64) -> Value {
    json!({
        "customer_id": "ann",
        "payment_method": "credit_card",
        "items": [{ "product_id": product, "quantity": quantity, "unit_price": 49.90 }],
    })
}

/// The same with a member set to something else.
pub fn with(mut value: Value, pointer: &str, to: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = if parent.is_empty() { &mut value } else { value.pointer_mut(parent).unwrap() };
    parent[name] = to;
    value
}
