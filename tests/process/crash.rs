//! Killed with `kill -9` in the middle of everything, again and again: nothing accepted is lost.

use super::random::Random;
use super::server::Setup;
use super::shop::{Order, Shop, order};
use super::{books, ledgers};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;

/// Customers who buy at once.
const CUSTOMERS: u64 = 50;
/// Plenty of the first four; the last two run out.
const STOCK: [(&str, i64); 6] =
    [("A", 1_000_000), ("B", 1_000_000), ("C", 1_000_000), ("D", 1_000_000), ("E", 200), ("F", 80)];
/// The longest that orders may take to come to rest after the last start.
const REST_LIMIT: Duration = Duration::from_secs(40);

/// A request for an order, under its own key: its customer's name is the key.
#[derive(Clone)]
struct Request {
    key: String,
    body: Value,
}

/// What one customer has lived through until the line went dead.
#[derive(Default)]
struct Story {
    /// Answered with 201.
    accepted: Vec<(Request, String)>,
    /// Never answered.
    open: Vec<Request>,
}

fn method(random: &mut Random) -> &'static str {
    match random.within(0, 100) {
        0..8 => "test_declined",
        8..14 => "test_timeout_charged",
        14..18 => "test_timeout_uncharged",
        _ => "credit_card",
    }
}

fn request(key: String, random: &mut Random) -> Request {
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

/// Buys, changes its mind and has things sent until the server is gone.
///
/// `earlier` are orders of the lives before: most are confirmed, or on their way to be.
async fn customer(
    shop: Shop,
    name: String,
    seed: u64,
    earlier: Arc<Vec<String>>,
    gone: Arc<AtomicBool>,
) -> Story {
    let mut random = Random(seed);
    let mut story = Story::default();
    for number in 0_u64.. {
        if gone.load(Relaxed) {
            break;
        }
        let request = request(format!("{name}-{number}"), &mut random);
        let answer = shop.ask(Method::POST, "/orders", Some(&request.body), Some(&request.key));
        match answer.await {
            Ok((StatusCode::CREATED, body)) => {
                let id = body["order_id"].as_str().unwrap().to_owned();
                story.accepted.push((request, id));
            }
            Ok((status, body)) => panic!("a good order was answered {status}: {body}"),
            Err(_) => {
                story.open.push(request);
                break;
            }
        }
        let asked = match random.within(0, 100) {
            0..8 => "cancel",
            8..40 => "dispatch",
            _ => continue,
        };
        let mine = &story.accepted[random.within(0, story.accepted.len() as u64) as usize].1;
        let id = match earlier.len() as u64 {
            0 => mine,
            _ if random.percent(30) => mine,
            count => &earlier[random.within(0, count) as usize],
        };
        let path = format!("/orders/{id}/{asked}");
        // A conflict is an answer too; none is no wonder here.
        let _ = shop.ask(Method::POST, &path, None, None).await;
    }
    story
}

/// Lets everybody buy for a while, then kills the server: what was accepted, what was not answered.
async fn cycle(setup: &Setup, name: &str, earlier: Vec<String>, random: &mut Random) -> Story {
    let server = setup.start();
    let earlier = Arc::new(earlier);
    let gone = Arc::new(AtomicBool::new(false));
    let mut customers = JoinSet::new();
    for number in 0..CUSTOMERS {
        let name = format!("{name}-{number}");
        customers.spawn(customer(
            server.shop(),
            name,
            random.next(),
            earlier.clone(),
            gone.clone(),
        ));
    }
    tokio::time::sleep(Duration::from_millis(random.within(20, 600))).await;
    server.kill9();
    gone.store(true, Relaxed);
    let mut all = Story::default();
    while let Some(story) = customers.join_next().await {
        let story = story.unwrap();
        all.accepted.extend(story.accepted);
        all.open.extend(story.open);
    }
    all
}

/// Sends a request again, which must be one order: the same if it was answered before.
async fn again(shop: &Shop, request: &Request) -> String {
    let key = Some(request.key.as_str());
    let answer = shop.ask(Method::POST, "/orders", Some(&request.body), key).await.unwrap();
    assert_eq!(answer.0, StatusCode::CREATED, "{}", answer.1);
    answer.1["order_id"].as_str().unwrap().to_owned()
}

/// Kills so many times, then checks everything.
async fn survives(setup: Setup, kills: usize, seed: u64) {
    let mut random = Random(seed);
    let setup = setup.with("PAYMENT_TIMEOUT", "300ms");
    let server = setup.start();
    let shop = server.shop();
    for (product, quantity) in STOCK {
        shop.stock(product, quantity).await;
    }
    server.terminate().await;

    let mut story = Story::default();
    for number in 0..kills {
        let earlier = story.accepted.iter().map(|(_, id)| id.clone()).collect();
        let part = cycle(&setup, &format!("customer-{number}"), earlier, &mut random).await;
        story.accepted.extend(part.accepted);
        story.open.extend(part.open);
    }
    let server = setup.start();
    let shop = server.shop();
    for (request, id) in story.accepted.iter().step_by(10) {
        assert_eq!(&again(&shop, request).await, id, "the same request, another order");
    }
    for request in &story.open {
        again(&shop, request).await;
    }
    let orders = shop.all_at_rest(REST_LIMIT).await;
    let (accepted, open) = (story.accepted.len(), story.open.len());
    println!("{kills} kills, {accepted} orders accepted, {open} requests cut off");
    println!("{:?}", books::statuses(&orders));
    nothing_is_lost(&story, &orders);
    let initial = BTreeMap::from(STOCK.map(|(product, units)| (product.to_owned(), units)));
    books::balance(&shop, &initial, &orders).await;

    server.terminate().await;
    ledgers::everything_was_heard(&setup.data()).await;
    ledgers::the_gateway_agrees(&setup.data(), &orders).await;
    ledgers::the_audit_is_whole(&setup.data(), &orders).await;
}

/// Every request is exactly one order, and every order that was answered is there.
fn nothing_is_lost(story: &Story, orders: &[Order]) {
    let known: BTreeSet<_> = orders.iter().map(|order| &order.order_id).collect();
    let lost: Vec<_> = story.accepted.iter().filter(|(_, id)| !known.contains(id)).collect();
    assert!(lost.is_empty(), "{} accepted orders are lost", lost.len());
    let customers: BTreeSet<_> = orders.iter().map(|order| &order.customer_id).collect();
    assert_eq!(customers.len(), orders.len(), "a request was made into two orders");
    assert_eq!(orders.len(), story.accepted.len() + story.open.len(), "a request was forgotten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_kills_lose_nothing_and_double_nothing() {
    survives(Setup::new().with("ORDERMILL_STEP_TIMEOUT", "1s"), 8, 0x0DD5).await;
}

/// No command is ever sent again for want of an answer here: what the outboxes keep must do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_outboxes_keep_is_enough() {
    let setup = Setup::new().with("ORDERMILL_PLAN", "payment-first");
    survives(setup.with("ORDERMILL_STEP_TIMEOUT", "10m"), 4, 0x0B0C).await;
}
