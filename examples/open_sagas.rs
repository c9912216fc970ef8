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

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use futures::future::try_join_all;
use ordermill_client::{self as client, Actor, Client, Method};
use serde::de::IgnoredAny;
use serde_json::json;
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
/// More clients than anybody asks for.
const CLIENTS_MAX: usize = 10_000;
/// How long the gateway takes to answer while orders are placed: until after the server is killed.
const SILENCE: &str = "10m";
/// Every order rests within this time, or something is wrong.
const REST_WITHIN: Duration = Duration::from_secs(900);

/// A server under measurement. It is killed with this value.
struct Server {
    child: Child,
    begun: Instant,
    client: Client,
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
        let options = client::Options {
            requests_max: CLIENTS_MAX,
            busy_timeout: REST_WITHIN,
            busy_pause_max: POLL_EVERY,
            ..client::Options::default()
        };
        let client = Client::new(&format!("http://{address}"), options);
        Ok(Self { child, begun: Instant::now(), client })
    }

    /// Waits until the path answers 200; how long after the start that was.
    async fn answers(&self, path: &str) -> anyhow::Result<Duration> {
        loop {
            let answer = self.client.once(self.client.request(Method::GET, path)).await;
            if answer.is_ok_and(|answer| answer.status.is_success()) {
                return Ok(self.begun.elapsed());
            }
            ensure!(self.begun.elapsed() < REST_WITHIN, "{path} never answers 200");
            self.memory("VmRSS").context("the server has ended")?;
            tokio::time::sleep(POLL_EVERY / 10).await;
        }
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
        let tree = self.client.actors(&[("limit", "1")]).await?;
        Ok(["sagas", "payments"].iter().filter_map(|name| children(&tree.actors, name)).sum())
    }

    /// How many orders do not rest.
    async fn open(&self) -> anyhow::Result<u64> {
        loop {
            let text = self.client.metrics().await?;
            let counts = text.lines().filter(|line| line.starts_with("ordermill_sagas{"));
            let counts: Vec<&str> = counts.filter_map(|line| line.split(' ').nth(1)).collect();
            if !counts.is_empty() {
                let open =
                    counts.iter().map(|count| count.parse::<f64>()).sum::<Result<f64, _>>()?;
                return Ok(open as u64);
            }
            // The database was too busy to count them.
            ensure!(self.begun.elapsed() < REST_WITHIN, "/metrics never says how many are open");
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
}

/// How many children the node of that name has.
fn children(actors: &[Actor], name: &str) -> Option<u64> {
    actors.iter().find_map(|actor| match actor.name == name {
        true => Some(actor.children_total),
        false => children(&actor.children, name),
    })
}

/// Places the orders, each client the next as soon as its last was answered.
async fn place_all(server: &Server, options: &Options) -> anyhow::Result<()> {
    server.client.stock("OPEN", 1_000_000_000).await?;
    let order = json!({
        "customer_id": "open",
        "payment_method": "credit_card",
        "items": [{"product_id": "OPEN", "quantity": 1, "unit_price": 9.99}],
    });
    let next = Arc::new(AtomicUsize::new(0));
    let clients = (0..options.clients).map(|_| {
        let (client, next, orders) = (server.client.clone(), next.clone(), options.orders);
        let order = order.clone();
        tokio::spawn(async move {
            while next.fetch_add(1, Relaxed) < orders {
                client.place(&order, None).await?;
            }
            anyhow::Ok(())
        })
    });
    try_join_all(clients).await?.into_iter().collect()
}

/// Waits until no order has one of these statuses.
async fn until_none(server: &Server, statuses: &[&str]) -> anyhow::Result<()> {
    for status in statuses {
        loop {
            let filter = [("status", *status)];
            let orders = server.client.list::<IgnoredAny>("/orders", &filter, 1).await?;
            if orders.entries.is_empty() {
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
