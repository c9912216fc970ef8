//! While a server is away: a process that is asked to end does so in time and says what it leaves, and the
//! broker's return is not followed by a storm.

use super::reconciliation;
use super::server::Server;
use super::setup::Setup;
use super::shop::{Shop, order};
use super::stack::{Stack, Which};
use reqwest::Method;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long an end may take here: six seconds by the setting, and a little for a busy machine.
const END_LIMIT: Duration = Duration::from_secs(12);
/// A quorum queue that is stopped within a second of its declaration loses what it had confirmed.
const SETTLING: Duration = Duration::from_secs(3);
const REST_LIMIT: Duration = Duration::from_secs(120);

/// Places orders for so long, each as soon as the last was answered; those that were accepted.
async fn buys(shop: &Shop, name: &str, long: Duration) -> BTreeSet<String> {
    let begun = Instant::now();
    let mut accepted = BTreeSet::new();
    for number in 0.. {
        if begun.elapsed() > long {
            break;
        }
        let body = order(&format!("{name}-{number}"), &[("A", 1)], "credit_card");
        let answer = shop.request(Method::POST, "/orders").json(&body).send().await;
        let Ok(answer) = answer else { break };
        if answer.status().is_success() {
            let body: Value = answer.json().await.unwrap();
            accepted.insert(body["order_id"].as_str().unwrap().to_owned());
        } else {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    accepted
}

/// Ends the process while a server is away; it does so in time, with a code and a sentence.
async fn ends_in_the_dark(mut server: Server, away: Which) {
    let begun = Instant::now();
    server.signal("TERM");
    let status = server.ended(END_LIMIT).await;
    let log = server.log();
    assert!(status.code().is_some(), "it was killed: {status}");
    assert!(
        log.contains("stopped"),
        "{away:?} is away, and the log does not say how it ended: {log}"
    );
    println!("{away:?} away: ended {:?} after {:.1?}", status.code(), begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn asked_to_end_while_a_server_is_away_it_ends_in_time_and_loses_nothing() {
    let stack = Stack::start("dark");
    let setup = Setup::on(&stack.servers)
        .with("ORDERMILL_LOG", "info")
        .with("ORDERMILL_SHUTDOWN_TIMEOUT", "6s")
        .with("ORDERMILL_STEP_TIMEOUT", "2s");
    let mut accepted = BTreeSet::new();
    let server = setup.start();
    server.shop().stock("A", 1_000_000).await;
    server.terminate().await;
    tokio::time::sleep(SETTLING).await;
    for away in [Which::RabbitMq, Which::Postgres] {
        let server = setup.start();
        accepted.extend(buys(&server.shop(), "before", Duration::from_secs(2)).await);
        stack.stop(away);
        accepted.extend(buys(&server.shop(), "during", Duration::from_secs(2)).await);
        ends_in_the_dark(server, away).await;
        stack.bring_back(away);
    }
    let server = setup.start();
    let shop = server.shop();
    let orders = shop.all_at_rest(REST_LIMIT).await;
    let known: BTreeSet<_> = orders.iter().map(|order| order.order_id.to_string()).collect();
    assert!(accepted.len() > 20 && accepted.is_subset(&known), "accepted orders are lost");
    reconciliation::balance(&shop, &BTreeMap::from([("A".to_owned(), 1_000_000)]), &orders).await;
    // What a process has left that is gone is taken over by one that runs.
    setup.databases().all_messages_were_consumed().await;
    server.terminate().await;
}

/// How long the broker is away, with commands that count as late after a second.
const OUTAGE: Duration = Duration::from_secs(30);
/// Messages between an order and its services, from its acceptance to its confirmation.
const EACH: u64 = 6;
/// Queues through which they go.
const SAGA_QUEUES: [&str; 4] =
    ["order.events", "inventory.commands", "payment.commands", "shipping.commands"];

/// A server counts afresh each two seconds.
const COUNTED_EVERY: Duration = Duration::from_secs(4);

/// How many messages the server has heard on those queues.
async fn heard(shop: &Shop) -> u64 {
    let metrics = shop.request(Method::GET, "/metrics").send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let count = |queue: &str| -> u64 {
        let series =
            format!("ordermill_consumer_messages_total{{queue=\"{queue}\",outcome=\"done\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&series));
        line.expect("each queue is counted").parse::<f64>().unwrap() as u64
    };
    SAGA_QUEUES.into_iter().map(count).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn the_brokers_return_is_not_followed_by_a_storm() {
    let stack = Stack::start("storm");
    let setup = Setup::on(&stack.servers).with("ORDERMILL_STEP_TIMEOUT", "1s");
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1_000_000).await;
    tokio::time::sleep(SETTLING).await;
    let mut accepted = buys(&shop, "before", Duration::from_secs(1)).await;
    shop.all_at_rest(REST_LIMIT).await;
    tokio::time::sleep(COUNTED_EVERY).await;
    accepted.clear();
    let before = heard(&shop).await;
    stack.stop(Which::RabbitMq);
    accepted.extend(buys(&shop, "during", OUTAGE).await);
    stack.bring_back(Which::RabbitMq);
    shop.all_at_rest(REST_LIMIT).await;
    tokio::time::sleep(COUNTED_EVERY).await;
    let said = heard(&shop).await - before;
    let usual = EACH * accepted.len() as u64;
    println!(
        "{} orders in an outage of {OUTAGE:?}: {said} messages afterwards, usually {usual}",
        accepted.len()
    );
    assert!(accepted.len() > 100, "only {} orders were accepted", accepted.len());
    assert!(said >= usual, "they are not all counted: {said}, usually {usual}");
    assert!(said <= usual + usual / 10, "a storm: {said}, usually {usual}");
    // What a process has left that is gone is taken over by one that runs.
    setup.databases().all_messages_were_consumed().await;
    server.terminate().await;
}

/// What the server says of itself.
async fn metrics(shop: &Shop) -> String {
    shop.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap()
}

/// Waits until the page says something, or does not.
async fn until_metrics(shop: &Shop, what: &str, is_there: bool) {
    let begun = Instant::now();
    while metrics(shop).await.contains(what) != is_there {
        assert!(begun.elapsed() < REST_LIMIT, "`{what}` is there: {}", !is_there);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs ./scripts/stack"]
async fn gauges_of_servers_that_do_not_answer_are_absent() {
    let stack = Stack::start("gauges");
    let server = Setup::on(&stack.servers).start();
    let shop = server.shop();
    let (queues, sagas) = ("\nordermill_queue_messages_ready{", "\nordermill_sagas{");
    until_metrics(&shop, queues, true).await;
    until_metrics(&shop, sagas, true).await;
    stack.stop(Which::RabbitMq);
    until_metrics(&shop, "\nordermill_broker_connected 0", true).await;
    until_metrics(&shop, queues, false).await;
    assert!(metrics(&shop).await.contains(sagas), "the databases answer");
    stack.bring_back(Which::RabbitMq);
    until_metrics(&shop, queues, true).await;
    stack.stop(Which::Postgres);
    until_metrics(&shop, sagas, false).await;
    stack.bring_back(Which::Postgres);
    until_metrics(&shop, sagas, true).await;
    server.terminate().await;
}
