//! RabbitMQ's management API, for one vhost: what an operator, or a stranger, may do to a broker.

use reqwest::{Client, Method, StatusCode, Url};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long one answer may take: a vhost of a hundred queues is not dropped at once, and takes a minute on a
/// disk whose syncs take 100 ms.
const ANSWER_LIMIT: Duration = Duration::from_secs(240);

/// The management API of one vhost.
#[derive(Clone)]
pub struct Management {
    http: Client,
    url: Url,
    vhost: String,
}

impl Management {
    /// That of a vhost which may not exist yet. The URL has user and password.
    pub fn new(url: &str, vhost: &str) -> Self {
        let http = Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().unwrap();
        Self { http, url: Url::parse(url).unwrap(), vhost: vhost.to_owned() }
    }

    /// Makes the vhost, where the URL's user may do everything.
    pub async fn create_vhost(&self) {
        self.ask(Method::PUT, &["vhosts", &self.vhost], None).await;
        let all = json!({"configure": ".*", "write": ".*", "read": ".*"});
        let user = self.url.username();
        self.ask(Method::PUT, &["permissions", &self.vhost, user], Some(&all)).await;
    }

    /// The name of every vhost there is.
    pub async fn vhosts(&self) -> Vec<String> {
        let list = self.ask(Method::GET, &["vhosts"], None).await;
        let name = |vhost: &Value| vhost["name"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(name).collect()
    }

    /// Drops it with everything in it.
    pub async fn delete_vhost(&self) {
        let address = self.address(&["vhosts", &self.vhost]);
        match self.http.delete(address).send().await {
            Ok(answer) if answer.status().is_success() => {}
            other => eprintln!("the vhost {} stays behind: {other:?}", self.vhost),
        }
    }

    /// Declares a queue, with these arguments.
    pub async fn declare_queue(&self, name: &str, arguments: &Value) {
        let body = json!({"durable": true, "auto_delete": false, "arguments": arguments});
        self.ask(Method::PUT, &["queues", &self.vhost, name], Some(&body)).await;
    }

    /// Publishes to a queue, by the default exchange.
    pub async fn publish(&self, queue: &str, properties: &Value, payload: &str) {
        let body = json!({
            "routing_key": queue, "payload": payload, "payload_encoding": "string",
            "properties": properties,
        });
        let path = ["exchanges", self.vhost.as_str(), "amq.default", "publish"];
        let answer = self.ask(Method::POST, &path, Some(&body)).await;
        assert_eq!(answer["routed"], true, "unknown queue {queue}");
    }

    /// Binds a queue to an exchange.
    pub async fn bind(&self, exchange: &str, key: &str, queue: &str) {
        let path = ["bindings", self.vhost.as_str(), "e", exchange, "q", queue];
        self.ask(Method::POST, &path, Some(&json!({"routing_key": key, "arguments": {}}))).await;
    }

    /// Takes the next messages of a queue, acknowledged.
    pub async fn take(&self, queue: &str, most: usize) -> Vec<Value> {
        let body = json!({"count": most, "ackmode": "ack_requeue_false", "encoding": "auto"});
        let path = ["queues", self.vhost.as_str(), queue, "get"];
        let Value::Array(taken) = self.ask(Method::POST, &path, Some(&body)).await else {
            panic!("no list of messages")
        };
        taken
    }

    /// All `exchanges`, `queues` or `bindings` of the vhost, as they are shown.
    pub async fn listed(&self, what: &str) -> Vec<Value> {
        let Value::Array(list) = self.ask(Method::GET, &[what, &self.vhost], None).await else {
            panic!("no list of {what}")
        };
        list
    }

    /// The name of every queue of the vhost.
    pub async fn queues(&self) -> BTreeSet<String> {
        let list = self.ask(Method::GET, &["queues", &self.vhost], None).await;
        let name = |queue: &Value| queue["name"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(name).collect()
    }

    /// The name of every exchange of the vhost.
    pub async fn exchanges(&self) -> BTreeSet<String> {
        let list = self.ask(Method::GET, &["exchanges", &self.vhost], None).await;
        let name = |exchange: &Value| exchange["name"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(name).collect()
    }

    /// Deletes an exchange.
    pub async fn delete_exchange(&self, name: &str) {
        self.ask(Method::DELETE, &["exchanges", &self.vhost, name], None).await;
    }

    /// Every binding of the vhost: exchange, routing key, queue.
    pub async fn bindings(&self) -> Vec<(String, String, String)> {
        let list = self.ask(Method::GET, &["bindings", &self.vhost], None).await;
        let text = |binding: &Value, field: &str| binding[field].as_str().unwrap().to_owned();
        let binding = |binding: &Value| {
            (text(binding, "source"), text(binding, "routing_key"), text(binding, "destination"))
        };
        list.as_array().unwrap().iter().map(binding).collect()
    }

    /// Closes every connection to the vhost; how many there were.
    pub async fn close_connections(&self) -> usize {
        let path = ["vhosts", self.vhost.as_str(), "connections"];
        let list = self.ask(Method::GET, &path, None).await;
        let names: Vec<&str> =
            list.as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
        for name in &names {
            // One that has just gone by itself is no trouble.
            let _ = self.http.delete(self.address(&["connections", name])).send().await;
        }
        names.len()
    }

    async fn ask(&self, method: Method, path: &[&str], body: Option<&Value>) -> Value {
        let mut request = self.http.request(method.clone(), self.address(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path:?} answered {status}: {text}");
        if status == StatusCode::NO_CONTENT || text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&text).unwrap()
    }

    fn address(&self, path: &[&str]) -> Url {
        let mut url = self.url.clone();
        url.path_segments_mut().unwrap().pop_if_empty().push("api").extend(path);
        url
    }
}
