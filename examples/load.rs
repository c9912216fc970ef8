//! Drives a running server with N clients that order without a pause, then says what came of it.
//!
//! ```sh
//! cargo run --release -- --data-dir "$(mktemp -d)" &
//! cargo run --release --example load -- --orders 50000 --clients 50
//! ```
//!
//! The server may as well run on PostgreSQL and RabbitMQ; where several processes serve the same, each gets
//! a `--url` of its own and the clients are spread over them.
//!
//! *Accepted* counts 201s from the first request to the last answer. *Settled* counts CONFIRMED orders
//! from the first order's acceptance to the last confirmation, by the server's own history.

use anyhow::{Context, ensure};
use clap::Parser;
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(about = "Measures orders per second, accepted and settled")]
struct Options {
    /// Where the server listens; given several times, the clients take turns
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: Vec<String>,
    /// How many orders are placed
    #[arg(long, default_value_t = 20_000)]
    orders: usize,
    /// How many clients place them, each as soon as its last order was answered
    #[arg(long, default_value_t = 50)]
    clients: usize,
    /// Among how many products they choose
    #[arg(long, default_value_t = 10)]
    products: usize,
    /// Of how many accepted orders the way to CONFIRMED is looked at
    #[arg(long, default_value_t = 5_000)]
    sample: usize,
}

/// Units stocked of each product: more than any load orders.
const UNITS: u64 = 1_000_000_000;

/// Accepted orders must rest within this time after the last one.
const REST_WITHIN: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Arc::new(Options::parse());
    let http = reqwest::Client::new();
    let products = stock(&http, &options).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let clients = (0..options.clients).map(|number| {
        let (http, options) = (http.clone(), options.clone());
        let (products, next) = (products.clone(), next.clone());
        tokio::spawn(async move {
            let url = &options.url[number % options.url.len()];
            client(&http, url, options.orders, &products, &next).await
        })
    });
    let mut posts = Vec::with_capacity(options.orders);
    let (mut orders, mut turned_away) = (Vec::with_capacity(options.orders), 0);
    for finished in try_join_all(clients).await? {
        let Placed { ids, latencies, refused } = finished?;
        orders.extend(ids);
        posts.extend(latencies);
        turned_away += refused;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "accepted   {:>9.0}/s   {} orders, {turned_away} turned away (503)",
        orders.len() as f64 / seconds,
        orders.len()
    );
    percentiles("POST", &mut posts);
    rest(&http, &options.url[0]).await?;
    settled(&http, &options, &orders).await
}

async fn stock(http: &reqwest::Client, options: &Options) -> anyhow::Result<Arc<Vec<String>>> {
    let run = std::process::id();
    let products: Vec<String> =
        (0..options.products).map(|index| format!("LOAD-{run}-{index}")).collect();
    for product in &products {
        let body = json!({"product_id": product, "available_qty": UNITS});
        let answer = http.post(format!("{}/inventory", options.url[0])).json(&body).send().await?;
        ensure!(answer.status().is_success(), "stocking answered {}", answer.status());
    }
    Ok(Arc::new(products))
}

#[derive(Default)]
struct Placed {
    ids: Vec<String>,
    latencies: Vec<Duration>,
    refused: usize,
}

async fn client(
    http: &reqwest::Client,
    url: &str,
    orders: usize,
    products: &[String],
    next: &AtomicUsize,
) -> anyhow::Result<Placed> {
    let mut placed = Placed::default();
    loop {
        let index = next.fetch_add(1, Relaxed);
        if index >= orders {
            return Ok(placed);
        }
        let body = json!({
            "customer_id": format!("customer-{}", index % 1_000),
            "payment_method": "credit_card",
            "items": [{"product_id": products[index % products.len()], "quantity": 1, "unit_price": 9.99}],
        });
        let started = Instant::now();
        let answer = http.post(format!("{url}/orders")).json(&body).send().await?;
        if answer.status() == reqwest::StatusCode::SERVICE_UNAVAILABLE {
            placed.refused += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        ensure!(
            answer.status() == reqwest::StatusCode::CREATED,
            "POST answered {}",
            answer.status()
        );
        let answer: Value = answer.json().await?;
        placed.latencies.push(started.elapsed());
        placed.ids.push(answer["order_id"].as_str().context("no order_id")?.to_owned());
    }
}

/// Waits until no saga is under way.
async fn rest(http: &reqwest::Client, url: &str) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let mut open = 0;
        for status in ["IN_PROGRESS", "COMPENSATING"] {
            let list = format!("{url}/admin/sagas?status={status}&limit=1");
            let list: Value = http.get(list).send().await?.json().await?;
            open += list["sagas"].as_array().context("no list of sagas")?.len();
        }
        if open == 0 {
            return Ok(());
        }
        ensure!(
            started.elapsed() < REST_WITHIN,
            "orders are still under way after {REST_WITHIN:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn settled(
    http: &reqwest::Client,
    options: &Options,
    orders: &[String],
) -> anyhow::Result<()> {
    let step = (orders.len() / options.sample.max(1)).max(1);
    // The first and the last are looked at whatever the step: they bound the time.
    let sample = orders.iter().step_by(step).chain(orders.last());
    let (mut latencies, mut first, mut last) = (Vec::new(), i64::MAX, i64::MIN);
    for order in sample {
        let order: Value =
            http.get(format!("{}/orders/{order}", options.url[0])).send().await?.json().await?;
        ensure!(order["status"] == "CONFIRMED", "an order ended {}: {order}", order["status"]);
        let created = micros(&order["created_at"])?;
        let history = order["history"].as_array().context("no history")?;
        let row = history.iter().find(|row| row["status"] == "CONFIRMED").context("no row")?;
        let confirmed = micros(&row["at"])?;
        (first, last) = (first.min(created), last.max(confirmed));
        latencies.push(Duration::from_micros(u64::try_from(confirmed - created)?));
    }
    let seconds = (last - first) as f64 / 1e6;
    println!("settled    {:>9.0}/s", orders.len() as f64 / seconds);
    percentiles("POST → CONFIRMED", &mut latencies);
    Ok(())
}

fn micros(time: &Value) -> anyhow::Result<i64> {
    let text = time.as_str().context("no time")?;
    Ok(chrono::DateTime::parse_from_rfc3339(text)?.timestamp_micros())
}

fn percentiles(what: &str, latencies: &mut [Duration]) {
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        latencies.get(index.min(latencies.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    println!("{what:<18} p50 {:>8.1?}  p99 {:>8.1?}  max {:>8.1?}", at(0.5), at(0.99), at(1.0));
}
