//! Leaves a great many orders under way, kills the server, starts it again, and measures how it takes them
//! up: the time to `/ready`, the memory, the time until every order rests.
//!
//! ```sh
//! cargo build --release
//! cargo run --release --example open_sagas                                   # embedded, 100,000 orders
//! cargo run --release --example open_sagas -- --waiting dispatch
//! eval "$(./scripts/stack start)"                                            # PostgreSQL, RabbitMQ
//! cargo run --release --example open_sagas -- --servers
//! ```
//!
//! ```text
//! POST /orders ─▶ each waits ─▶ memory: live, then idle ─▶ kill -9 ─▶ start ─▶ ready ─▶ all rest
//! ```
//!
//! They wait for the gateway, which does not answer before the server is killed: payments of unknown
//! outcome. Or for their dispatch. All fall due while no server runs: overdue for the sweepers.
//! With `--servers` it works in the database and the vhost that `DATABASE_URL` and `AMQP_URL` name, which
//! should be empty.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use anyhow::{Context, bail, ensure};
use clap::{Parser, ValueEnum};
use futures::future::try_join_all;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(about = "Measures how a server takes up a great many orders that are under way")]
struct Options {
    /// How many orders are under way
    #[arg(long, default_value_t = 100_000)]
    orders: usize,
    /// What they wait for
    #[arg(long, value_enum, default_value_t = Waiting::Gateway)]
    waiting: Waiting,
    /// On DATABASE_URL and AMQP_URL; else on a temporary data directory
    #[arg(long)]
    servers: bool,
    /// The server's executable; else the one beside this example's
    #[arg(long)]
    binary: Option<PathBuf>,
    /// How many clients place the orders
    #[arg(long, default_value_t = 50)]
    clients: usize,
    /// So long after it was placed or confirmed an order is due, in seconds: longer than all take to be
    /// placed and to leave memory
    #[arg(long, default_value_t = 300)]
    due_s: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Waiting {
    /// For an answer of the gateway
    Gateway,
    /// For their dispatch
    Dispatch,
}

/// How often it is looked at what has become of the orders.
const POLL_EVERY: Duration = Duration::from_millis(100);
/// The longest that is waited for actors to leave memory.
const IDLE_WAIT: Duration = Duration::from_secs(90);
/// What is freed is given back within this time, or not at all.
const FREED: Duration = Duration::from_secs(10);
/// How long the gateway takes to answer while orders are placed: until after the server is killed.
const SILENCE: &str = "10m";
/// Every order rests within this time, or something is wrong.
const REST_WITHIN: Duration = Duration::from_secs(900);

/// A server under measurement. It is killed with this value.
struct Server {
    child: Child,
    url: String,
    begun: Instant,
    http: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(binary: &Path, settings: &[(&str, String)]) -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        drop(listener);
        let mut command = Command::new(binary);
        command.env("ORDERMILL_LISTEN", address.to_string()).env("ORDERMILL_LOG", "off");
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.with_context(|| format!("{} cannot be started", binary.display()))?;
        let (url, begun) = (format!("http://{address}"), Instant::now());
        Ok(Self { child, url, begun, http: reqwest::Client::new() })
    }

    /// Waits until the path answers 200; how long after the start that was.
    async fn answers(&self, path: &str) -> anyhow::Result<Duration> {
        loop {
            let answer = self.http.get(format!("{}{path}", self.url)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(self.begun.elapsed());
            }
            ensure!(self.begun.elapsed() < REST_WITHIN, "{path} never answers 200");
            self.memory("VmRSS").context("the server has ended")?;
            tokio::time::sleep(POLL_EVERY / 10).await;
        }
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// A number of the kernel's on this process, as `VmRSS` or `VmHWM`, in MiB.
    fn memory(&self, field: &str) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(field)).context("no such field")?;
        Ok(line.split_whitespace().nth(1).context("no number")?.parse::<u64>()? / 1_024)
    }

    /// Resident memory: in all, and without the pages of mapped files, which the kernel takes when it likes.
    fn resident(&self) -> anyhow::Result<String> {
        let (all, own) = (self.memory("VmRSS")?, self.memory("RssAnon")?);
        Ok(format!("{all:>5} MiB resident, {own} of them its own"))
    }

    /// How many sagas and payments have actors in memory.
    async fn in_memory(&self) -> anyhow::Result<u64> {
        let tree = self.get("/admin/actors?limit=1").await?;
        Ok(["sagas", "payments"].into_iter().filter_map(|name| children(&tree, name)).sum())
    }

    /// How many orders do not rest.
    async fn open(&self) -> anyhow::Result<u64> {
        loop {
            let text = self.http.get(format!("{}/metrics", self.url)).send().await?.text().await?;
            if let Some(open) = text.lines().find_map(|line| line.strip_prefix("sagas_open ")) {
                return Ok(open.parse::<f64>()? as u64);
            }
            // The database was too busy to count them.
            ensure!(self.begun.elapsed() < REST_WITHIN, "/metrics never says how many are open");
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
}

/// How many children the node of that name has.
fn children(tree: &Value, name: &str) -> Option<u64> {
    match tree {
        Value::Array(nodes) => nodes.iter().find_map(|node| children(node, name)),
        Value::Object(node) if node.get("name").is_some_and(|its| its == name) => {
            node.get("children_total")?.as_u64()
        }
        Value::Object(node) => node.values().find_map(|part| children(part, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Places the orders, each client the next as soon as its last was answered.
async fn place_all(server: &Server, options: &Options) -> anyhow::Result<()> {
    let stock = json!({"product_id": "OPEN", "available_qty": 1_000_000_000});
    let url = format!("{}/inventory", server.url);
    server.http.post(url).json(&stock).send().await?.error_for_status()?;
    let next = Arc::new(AtomicUsize::new(0));
    let clients = (0..options.clients).map(|_| {
        let (http, next, orders) = (server.http.clone(), next.clone(), options.orders);
        let url = format!("{}/orders", server.url);
        tokio::spawn(async move {
            while next.fetch_add(1, Relaxed) < orders {
                place(&http, &url).await?;
            }
            anyhow::Ok(())
        })
    });
    try_join_all(clients).await?.into_iter().collect()
}

/// Places an order, sooner or later.
async fn place(http: &reqwest::Client, url: &str) -> anyhow::Result<()> {
    let body = json!({
        "customer_id": "open",
        "payment_method": "credit_card",
        "items": [{"product_id": "OPEN", "quantity": 1, "unit_price": 9.99}],
    });
    loop {
        let answer = http.post(url).json(&body).send().await?;
        match answer.status() {
            reqwest::StatusCode::CREATED => return Ok(()),
            reqwest::StatusCode::SERVICE_UNAVAILABLE => tokio::time::sleep(POLL_EVERY).await,
            status => bail!("POST /orders answered {status}"),
        }
    }
}

/// Waits until no order has one of these statuses.
async fn until_none(server: &Server, statuses: &[&str]) -> anyhow::Result<()> {
    for status in statuses {
        loop {
            let list = server.get(&format!("/orders?limit=1&status={status}")).await?;
            if list["orders"].as_array().context("the server has no list of orders")?.is_empty() {
                break;
            }
            ensure!(server.begun.elapsed() < REST_WITHIN, "orders stay {status}");
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
    Ok(())
}

/// Waits until those who are idle have left memory, and says what they cost before and after.
async fn until_idle(server: &Server) -> anyhow::Result<()> {
    let live = server.in_memory().await?;
    println!("live       {live:>8} actors   {}", server.resident()?);
    let begun = Instant::now();
    while server.in_memory().await? > live / 100 && begun.elapsed() < IDLE_WAIT {
        tokio::time::sleep(POLL_EVERY * 10).await;
    }
    tokio::time::sleep(FREED).await;
    println!("idle       {:>8} actors   {}", server.in_memory().await?, server.resident()?);
    Ok(())
}

/// Fills a server with orders that wait, and kills it. How long the first of it took.
async fn leave_under_way(
    options: &Options,
    binary: &Path,
    settings: &[(&str, String)],
) -> anyhow::Result<Duration> {
    let mut settings = settings.to_vec();
    let due = format!("{}s", options.due_s);
    // Nobody is asked again while the orders are placed: that would only take longer.
    settings.push(("ORDERMILL_STEP_TIMEOUT", due.clone()));
    match options.waiting {
        Waiting::Gateway => {
            settings.extend([("PAYMENT_LATENCY", SILENCE.to_owned()), ("PAYMENT_TIMEOUT", due)])
        }
        Waiting::Dispatch => settings.push(("ORDERMILL_DISPATCH_AFTER", due)),
    }
    let server = Server::start(binary, &settings)?;
    server.answers("/ready").await?;
    println!("empty             0 actors   {}", server.resident()?);
    place_all(&server, options).await?;
    match options.waiting {
        Waiting::Gateway => until_none(&server, &["PENDING"]).await?,
        Waiting::Dispatch => {
            let on_the_way = ["PENDING", "INVENTORY_RESERVED", "PAYMENT_APPROVED"];
            until_none(&server, &on_the_way).await?;
        }
    }
    let filled = server.begun.elapsed();
    println!("filled     {:>8} orders   in {filled:.1?}", server.open().await?);
    until_idle(&server).await?;
    Ok(filled)
}

/// Starts the server on what the killed one has left.
async fn take_up(
    options: &Options,
    binary: &Path,
    settings: &[(&str, String)],
) -> anyhow::Result<()> {
    let mut settings = settings.to_vec();
    if options.waiting == Waiting::Dispatch {
        settings.push(("ORDERMILL_DISPATCH_AFTER", "1s".to_owned()));
    }
    let server = Server::start(binary, &settings)?;
    println!("ready      {:>8.1?} after the start", server.answers("/ready").await?);
    println!("open       {:>8} orders   {}", server.open().await?, server.resident()?);
    while server.open().await? > 0 {
        ensure!(server.begun.elapsed() < REST_WITHIN, "orders are still under way");
        tokio::time::sleep(POLL_EVERY).await;
    }
    println!("at rest    {:>8.1?} after the start", server.begun.elapsed());
    println!("memory     {:>8} MiB at the most", server.memory("VmHWM")?);
    tokio::time::sleep(FREED).await;
    println!("afterwards                   {}", server.resident()?);
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let example = std::env::current_exe()?;
    let beside = example.parent().and_then(Path::parent).context("no target directory")?;
    let binary = options.binary.clone().unwrap_or_else(|| beside.join("ordermill"));
    let data = tempfile::tempdir()?;
    let mut settings = Vec::new();
    if !options.servers {
        settings.push(("ORDERMILL_DATA_DIR", data.path().display().to_string()));
    }
    let begun = Instant::now();
    let filled = begun + leave_under_way(&options, &binary, &settings).await?;
    let due = Duration::from_secs(options.due_s);
    ensure!(begun.elapsed() < due, "some are due already: raise --due-s");
    tokio::time::sleep_until((filled + due).into()).await;
    take_up(&options, &binary, &settings).await
}
