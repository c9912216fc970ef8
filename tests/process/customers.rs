//! Customers who buy, change their mind and have things sent, at every server there is, and do not give up
//! when one is shut: the load under which servers are killed.

use super::random::Random;
use super::shop::{Shop, order};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;

/// Plenty of the first four; the last two run out.
pub const STOCK: [(&str, i64); 6] =
    [("A", 1_000_000), ("B", 1_000_000), ("C", 1_000_000), ("D", 1_000_000), ("E", 200), ("F", 80)];
/// Before somebody tries again who was turned away, or found the server closed.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// The stock before anybody buys.
pub fn initial() -> BTreeMap<String, i64> {
    BTreeMap::from(STOCK.map(|(product, units)| (product.to_owned(), units)))
}

/// Puts it on the stock.
pub async fn stock_up(shop: &Shop) {
    for (product, quantity) in STOCK {
        shop.stock(product, quantity).await;
    }
}

/// A request for an order, under its own key: its customer's name is the key.
#[derive(Clone)]
pub struct Request {
    pub key: String,
    pub body: Value,
}

/// An order of any scenario.
pub fn request(key: String, random: &mut Random) -> Request {
    let mut products = STOCK.map(|(product, _)| product);
    random.shuffle(&mut products);
    let lines = if random.percent(30) { 3 } else { 1 };
    let lines: Vec<_> = products[..lines].iter().map(|id| (*id, random.within(1, 4))).collect();
    let mut body = order(&key, &lines, method(random));
    if random.percent(5) {
        body["address"] = json!({"postal_code": "TEST-UNDELIVERABLE"});
    }
    Request { key, body }
}

fn method(random: &mut Random) -> &'static str {
    match random.within(0, 100) {
        0..8 => "test_declined",
        8..14 => "test_timeout_charged",
        14..18 => "test_timeout_uncharged",
        _ => "credit_card",
    }
}

/// What customers have lived through.
#[derive(Default)]
pub struct CustomerResults {
    /// Answered with 201: the request, and its order.
    pub accepted: Vec<(Request, String)>,
    /// Never answered.
    pub open: Vec<Request>,
}

impl CustomerResults {
    /// Adds somebody else's.
    pub fn extend(&mut self, other: Self) {
        self.accepted.extend(other.accepted);
        self.open.extend(other.open);
    }
}

/// Customers who are at it.
pub struct Customers {
    enough: Arc<AtomicBool>,
    accepted: Arc<AtomicU64>,
    customers: JoinSet<CustomerResults>,
}

impl Customers {
    /// So many customers come to these servers. Between two orders each of them pauses for up to twice so long.
    pub fn comes(servers: &[Shop], customers: u64, pause: Duration, random: &mut Random) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let accepted = Arc::new(AtomicU64::new(0));
        let mut all = JoinSet::new();
        for number in 0..customers {
            let seed = random.next();
            let customer = Customer {
                servers: servers.to_vec(),
                name: format!("customer-{seed:x}-{number}"),
                random: Random(seed),
                pause,
                enough: enough.clone(),
                accepted: accepted.clone(),
            };
            all.spawn(customer.buys());
        }
        Self { enough, accepted, customers: all }
    }

    /// How many of their orders were taken so far.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    /// They have had enough: what they have lived through.
    pub async fn leaves(mut self) -> CustomerResults {
        self.enough.store(true, Relaxed);
        let mut all = CustomerResults::default();
        while let Some(results) = self.customers.join_next().await {
            all.extend(results.unwrap());
        }
        all
    }
}

struct Customer {
    servers: Vec<Shop>,
    name: String,
    random: Random,
    pause: Duration,
    enough: Arc<AtomicBool>,
    accepted: Arc<AtomicU64>,
}

impl Customer {
    async fn buys(mut self) -> CustomerResults {
        let mut results = CustomerResults::default();
        for number in 0_u64.. {
            if self.enough.load(Relaxed) {
                break;
            }
            let request = request(format!("{}-{number}", self.name), &mut self.random);
            match self.place(&request).await {
                Some(id) => {
                    self.accepted.fetch_add(1, Relaxed);
                    results.accepted.push((request, id));
                }
                None => results.open.push(request),
            }
            self.wants_more(&results).await;
            let pause = self.random.within(0, 2 * self.pause.as_micros() as u64 + 1);
            tokio::time::sleep(Duration::from_micros(pause)).await;
        }
        results
    }

    /// Goes from server to server until the order is taken. None: it had enough before.
    async fn place(&mut self, request: &Request) -> Option<String> {
        loop {
            let (path, key) = ("/orders", Some(request.key.as_str()));
            let answer = self.server().once(Method::POST, path, Some(&request.body), key).await;
            match answer {
                Ok((StatusCode::CREATED, body)) => {
                    return Some(body["order_id"].as_str().unwrap().to_owned());
                }
                Ok((StatusCode::SERVICE_UNAVAILABLE, _)) | Err(_) => {
                    if self.enough.load(Relaxed) {
                        return None;
                    }
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                Ok((status, body)) => panic!("a good order was answered {status}: {body}"),
            }
        }
    }

    /// Some change their mind, many want it now. No answer is no wonder here, and a conflict is one.
    async fn wants_more(&mut self, results: &CustomerResults) {
        let asked = match self.random.within(0, 100) {
            0..8 => "cancel",
            8..40 => "dispatch",
            _ => return,
        };
        if results.accepted.is_empty() {
            return;
        }
        let (_, id) =
            &results.accepted[self.random.within(0, results.accepted.len() as u64) as usize];
        let path = format!("/orders/{id}/{asked}");
        let _ = self.server().once(Method::POST, &path, None, None).await;
    }

    fn server(&mut self) -> Shop {
        let servers = self.servers.len() as u64;
        self.servers[self.random.within(0, servers) as usize].clone()
    }
}
