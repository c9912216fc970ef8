//! More orders than can be settled: those that are accepted are confirmed soon, the rest are told to come
//! again, memory stays, and `/health` answers.

use super::reconciliation;
use super::setup::Setup;
use super::shop::{Shop, order};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long it is too much.
const LOAD: Duration = Duration::from_secs(10);
/// Customers who order without a pause, and come again at once when they are turned away: several times
/// what a debug build can settle.
const CUSTOMERS: usize = 250;
/// The longest that `/health` may take, where the machine has nothing else to do.
const HEALTH_LIMIT: Duration = Duration::from_secs(1);
/// What the load may add to the process's memory, in MiB: orders that wait for admission, mailboxes, caches.
const GROWTH_MAX_MIB: u64 = 300;
/// The longest from acceptance to confirmation for 99 of 100, in a debug build on a busy machine.
const CONFIRMED_LIMIT: Duration = Duration::from_secs(10);
/// Where nobody is turned away, the orders are confirmed within this time.
const BORNE: Duration = Duration::from_secs(4);
const REST_LIMIT: Duration = Duration::from_secs(120);

/// What became of a customer's tries.
#[derive(Default)]
struct Tries {
    accepted: Vec<String>,
    turned_away: usize,
}

async fn insists(shop: Shop, number: usize, until: Instant) -> Tries {
    let mut tries = Tries::default();
    let body = order(&format!("customer-{number}"), &[("A", 1)], "credit_card");
    while Instant::now() < until {
        let request = shop.request(Method::POST, "/orders").json(&body);
        let answer = request.send().await.expect("it is answered");
        match answer.status() {
            StatusCode::CREATED => {
                let body: Value = answer.json().await.unwrap();
                tries.accepted.push(body["order_id"].as_str().unwrap().to_owned());
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                let after =
                    answer.headers().get("retry-after").expect("it says when to come again");
                let after: u64 = after.to_str().unwrap().parse().unwrap();
                assert!((1..=30).contains(&after), "Retry-After: {after}");
                tries.turned_away += 1;
            }
            status => panic!("a good order was answered {status}"),
        }
    }
    tries
}

/// Asks for `/health` all the while; the longest that an answer took.
async fn health(shop: Shop, until: Instant) -> Duration {
    let mut longest = Duration::ZERO;
    while Instant::now() < until {
        let begun = Instant::now();
        shop.get("/health").await;
        longest = longest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    longest
}

/// How long an order took from its acceptance to its confirmation.
async fn took(shop: &Shop, id: &str) -> Duration {
    let order = shop.get(&format!("/orders/{id}")).await;
    let time = |time: &Value| chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).unwrap();
    let history = order["history"].as_array().unwrap();
    let confirmed = history.iter().find(|row| row["status"] == "CONFIRMED").expect("confirmed");
    (time(&confirmed["at"]) - time(&order["created_at"])).to_std().unwrap()
}

async fn too_many_orders_are_turned_away_and_the_others_served(setup: Setup) {
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1_000_000_000).await;
    let before = server.memory_now_mib();
    let until = Instant::now() + LOAD;
    let watch = tokio::spawn(health(Shop::at(&server.url), until));
    let mut customers = JoinSet::new();
    for number in 0..CUSTOMERS {
        customers.spawn(insists(shop.clone(), number, until));
    }
    let tries = customers.join_all().await;
    let slowest = watch.await.unwrap();
    let during = server.memory_peak_mib();
    let turned_away: usize = tries.iter().map(|tries| tries.turned_away).sum();
    let accepted: Vec<String> = tries.into_iter().flat_map(|tries| tries.accepted).collect();
    let orders = shop.all_at_rest(REST_LIMIT).await;
    assert_eq!(orders.len(), accepted.len(), "every accepted order, and no other");
    let mut times = Vec::new();
    for id in accepted.iter().step_by(accepted.len().div_ceil(500)) {
        times.push(took(&shop, id).await);
    }
    times.sort_unstable();
    let p99 = times[times.len() * 99 / 100];
    println!(
        "{} accepted, {turned_away} turned away; confirmed within {p99:.1?} (p99); /health within \
         {slowest:.1?}; {before} MiB before, {during} MiB at the most",
        accepted.len()
    );
    // A release build on a machine of its own may bear as many as there are.
    assert!(turned_away > 0 || p99 < BORNE, "nobody is turned away, and it takes {p99:?}");
    assert!(slowest < HEALTH_LIMIT * setup.slowness(), "/health took {slowest:?}");
    assert!(
        p99 < CONFIRMED_LIMIT * setup.slowness(),
        "accepted orders were confirmed only after {p99:?}"
    );
    assert!(during - before < GROWTH_MAX_MIB, "memory grew from {before} MiB to {during} MiB");
    let initial = BTreeMap::from([("A".to_owned(), 1_000_000_000)]);
    reconciliation::stock_balances(&initial, &shop.stock_rows().await, &orders);
    server.terminate().await;
    setup.databases().all_messages_were_consumed().await;
}

everywhere! { too_many_orders_are_turned_away_and_the_others_served }
