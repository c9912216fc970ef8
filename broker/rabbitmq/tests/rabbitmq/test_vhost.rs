//! A vhost for one test, and the management API, by which a test does what an operator or a stranger may do.

use crate::proxy::Proxy;
use async_trait::async_trait;
use ordermill_actors::ports::{Broker, Rpc};
use ordermill_broker_contract::Backend;
use ordermill_broker_contract::backend::PATIENCE;
use ordermill_rabbitmq::RabbitBroker;
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// A vhost of sixty queues is not dropped at once.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A vhost of its own and a broker in it.
pub struct TestVhost {
    pub broker: RabbitBroker,
    pub vhost: Vhost,
}

/// A new one.
pub async fn vhost() -> TestVhost {
    let vhost = Vhost::create().await;
    let broker = RabbitBroker::connect(vhost.url.as_str(), "ordermill test", &[]).await.unwrap();
    TestVhost { broker, vhost }
}

/// A new one, reached by a wire.
pub async fn through_proxy(query: &str) -> (TestVhost, Proxy) {
    let vhost = Vhost::create().await;
    let proxy = Proxy::to(&vhost.url).await;
    let mut url = proxy.url(&vhost.url);
    url.set_query(Some(query));
    let broker = RabbitBroker::connect(url.as_str(), "ordermill test", &[]).await.unwrap();
    (TestVhost { broker, vhost }, proxy)
}

impl TestVhost {
    /// Waits until the broker says so.
    pub async fn until_depth(&self, queue: &str, ready: u64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let depths = self.broker.all_depths().await;
            let found = depths.iter().flatten().find(|depth| depth.name == queue);
            if found.is_some_and(|depth| depth.ready == ready) {
                return;
            }
            assert!(Instant::now() < deadline, "{found:?}, not {ready} messages");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[async_trait]
impl Backend for TestVhost {
    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(self.broker.clone())
    }

    fn rpc(&self) -> Arc<dyn Rpc> {
        Arc::new(self.broker.clone())
    }

    async fn close(&self) {
        self.broker.close().await;
        self.vhost.delete().await;
    }
}

/// A vhost.
pub struct Vhost {
    http: Client,
    management: Url,
    name: String,
    /// Where a broker finds it.
    pub url: Url,
}

fn variable(name: &str) -> Url {
    let text =
        std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; see scripts/test"));
    text.parse().unwrap()
}

impl Vhost {
    /// Makes one, where the URL's user may do everything.
    pub async fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Relaxed);
        let name = format!("ordermill-broker-{}-{number}", std::process::id());
        let mut url = variable("ORDERMILL_TEST_AMQP_URL");
        url.set_path(&name);
        let http = Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().unwrap();
        let management = variable("ORDERMILL_TEST_MANAGEMENT_URL");
        let vhost = Self { http, management, name, url };
        vhost.ask(Method::PUT, &["vhosts", &vhost.name], None).await;
        let all = json!({"configure": ".*", "write": ".*", "read": ".*"});
        let user = vhost.management.username();
        vhost.ask(Method::PUT, &["permissions", &vhost.name, user], Some(&all)).await;
        vhost
    }

    /// Drops it with everything in it.
    pub async fn delete(&self) {
        let deleted = self.http.delete(self.address(&["vhosts", &self.name])).send().await;
        if !deleted.as_ref().is_ok_and(|answer| answer.status().is_success()) {
            eprintln!("the vhost {} stays behind: {deleted:?}", self.name);
        }
    }

    /// Declares a queue, with these arguments.
    pub async fn declare_queue(&self, name: &str, durable: bool, arguments: &Value) {
        let body = json!({"durable": durable, "auto_delete": false, "arguments": arguments});
        self.ask(Method::PUT, &["queues", &self.name, name], Some(&body)).await;
    }

    /// Deletes a queue with what is in it.
    pub async fn delete_queue(&self, name: &str) {
        self.ask(Method::DELETE, &["queues", &self.name, name], None).await;
    }

    /// Deletes an exchange.
    pub async fn delete_exchange(&self, name: &str) {
        self.ask(Method::DELETE, &["exchanges", &self.name, name], None).await;
    }

    /// Publishes to a queue, by the default exchange.
    pub async fn publish(&self, queue: &str, properties: &Value, payload: &str) {
        let body = json!({
            "routing_key": queue, "payload": payload, "payload_encoding": "string",
            "properties": properties,
        });
        let path = ["exchanges", self.name.as_str(), "amq.default", "publish"];
        let answer = self.ask(Method::POST, &path, Some(&body)).await;
        assert_eq!(answer["routed"], true, "unknown queue {queue}");
    }

    /// Takes the first message out of a queue, as JSON: `properties`, `payload`, ….
    pub async fn take(&self, queue: &str) -> Option<Value> {
        let body = json!({"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto"});
        let path = ["queues", self.name.as_str(), queue, "get"];
        let mut messages = self.ask(Method::POST, &path, Some(&body)).await;
        messages.as_array_mut().unwrap().pop()
    }

    /// The name of every binding: exchange, routing key, queue.
    pub async fn bindings(&self) -> Vec<(String, String, String)> {
        let list = self.ask(Method::GET, &["bindings", &self.name], None).await;
        let text = |binding: &Value, field: &str| binding[field].as_str().unwrap().to_owned();
        let binding = |binding: &Value| {
            (text(binding, "source"), text(binding, "routing_key"), text(binding, "destination"))
        };
        list.as_array().unwrap().iter().map(binding).collect()
    }

    /// Closes both connections of a broker, as an operator would. The API knows of them some seconds after
    /// they were opened.
    pub async fn close_connections(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut names: Vec<String> = Vec::new();
        while names.len() < 2 {
            assert!(Instant::now() < deadline, "the API knows of {names:?} only");
            tokio::time::sleep(Duration::from_millis(100)).await;
            let list = self.ask(Method::GET, &["vhosts", &self.name, "connections"], None).await;
            let name = |one: &Value| Some(one["name"].as_str()?.to_owned());
            names = list.as_array().unwrap().iter().filter_map(name).collect();
        }
        for name in names {
            self.ask(Method::DELETE, &["connections", &name], None).await;
        }
    }

    async fn ask(&self, method: Method, path: &[&str], body: Option<&Value>) -> Value {
        let mut request = self.http.request(method.clone(), self.address(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{method} {path:?} answered {status}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    fn address(&self, path: &[&str]) -> Url {
        let mut url = self.management.clone();
        url.path_segments_mut().unwrap().pop_if_empty().push("api").extend(path);
        url
    }
}
