//! A vhost for one test, and the management API, by which a test does what an operator or a stranger may do.

use async_trait::async_trait;
use ordermill_actors::ports::{Broker, Rpc};
use ordermill_broker_contract::Backend;
use ordermill_rabbitmq::RabbitBroker;
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// A vhost of sixty queues is not dropped at once.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A vhost of its own and a broker in it.
pub struct Place {
    pub broker: RabbitBroker,
    pub vhost: Vhost,
}

/// A new one.
pub async fn vhost() -> Place {
    let vhost = Vhost::create().await;
    let broker = RabbitBroker::connect(vhost.url.as_str(), "ordermill test").await.unwrap();
    Place { broker, vhost }
}

#[async_trait]
impl Backend for Place {
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
