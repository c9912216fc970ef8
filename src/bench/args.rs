//! What `ordermill bench` is told.

use super::load::Extent;
use crate::config::{ConfigError, DATABASE, Problem, Secret};
use crate::server_url::server_url;
use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The most orders that one run places: each is kept in mind (about 50 bytes) and looked at afterwards.
const ORDERS_MAX: u64 = 10_000_000;
/// The most connections: each is a socket here and one in the server.
const CLIENTS_MAX: u64 = 10_000;
/// The most products: each is stocked by a request of its own.
const PRODUCTS_MAX: u64 = 10_000;
/// The most lines that an order takes.
const LINES_MAX: u64 = 100;
/// The longest run, in seconds: an hour.
const SECONDS_MAX: u64 = 3_600;

/// Connections when nobody says how many, in a closed loop: enough to keep a server of two cores busy.
const CLOSED_CLIENTS: usize = 100;
/// The same in an open loop, where an arrival must not wait for a connection while the server is well.
const OPEN_CLIENTS: usize = 256;
/// How long orders are placed when nobody says how many.
const DURATION: Duration = Duration::from_secs(60);

fn number(max: u64) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=max)
}

/// Which benchmark, and how.
#[derive(Args, Clone, Debug, PartialEq)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    /// What the orders benchmark is told.
    #[command(flatten)]
    pub orders: OrdersArgs,
    /// Another benchmark.
    #[command(subcommand)]
    pub command: Option<BenchCommand>,
}

/// Which benchmark.
#[derive(Subcommand, Clone, Debug, PartialEq)]
pub enum BenchCommand {
    /// Orders per second, accepted and settled; what happens when no benchmark is named
    Orders(OrdersArgs),
    /// Many buyers for the few units of one product
    ///
    /// Exactly as many orders as there are units must be confirmed, and all others refused.
    FlashSale(FlashSaleArgs),
    /// Reservations per second of one product, beside the usual ways to make them
    ///
    /// Needs DATABASE_URL only. Works in a schema of its own, which is dropped at the end.
    HotSku(HotSkuArgs),
}

/// Which server is measured, and where the figures go.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct ServerArgs {
    /// A running server; several that serve the same shop take turns. Without it one is started, on a
    /// temporary data directory, or on what DATABASE_URL and AMQP_URL name
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub url: Vec<String>,
    /// Where the temporary data directory is made; somewhere on disk when not said
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    pub temp_dir: Option<PathBuf>,
    /// A process whose CPU time is told, with all its children: `postgres=PID`, `rabbitmq=PID`, or the
    /// server of --url, `server=PID`. Those of ./scripts/stack are found without it
    #[arg(long, value_name = "NAME=PID")]
    pub watch_pid: Vec<Watch>,
    /// Write the figures as JSON, too
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// A process to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// What it is called in the figures.
    pub name: String,
    /// Its id.
    pub pid: u32,
}

impl FromStr for Watch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, pid) = text.split_once('=').ok_or("expected a name and a pid: postgres=123")?;
        let pid = pid.parse().map_err(|_| "expected a process id behind the `=`: postgres=123")?;
        Ok(Self { name: name.to_owned(), pid })
    }
}

/// How orders are placed.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct OrdersArgs {
    /// Which server.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Open loop: so many orders arrive each second, whatever becomes of the earlier ones. Latencies
    /// count from when an order should have been placed
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    pub rate: Option<f64>,
    /// Connections. Without --rate a closed loop: each places its next order when its last was
    /// answered. 100 when not said, 256 with --rate
    #[arg(long, value_name = "N", value_parser = number(CLIENTS_MAX))]
    clients: Option<usize>,
    /// How long orders are placed [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    /// How many orders are placed, instead of a duration
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    #[arg(value_parser = RangedU64ValueParser::<u64>::new().range(1..=ORDERS_MAX))]
    orders: Option<u64>,
    /// Among how many products buyers choose
    #[arg(long, value_name = "M", default_value_t = 10, value_parser = number(PRODUCTS_MAX))]
    pub products: usize,
    /// Lines of each order, each of another product
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = number(LINES_MAX))]
    pub lines: usize,
    /// How long orders are placed before it counts
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = humantime::parse_duration)]
    pub warmup: Duration,
}

impl OrdersArgs {
    /// How many connections there are.
    pub fn clients(&self) -> usize {
        let usual = if self.rate.is_some() { OPEN_CLIENTS } else { CLOSED_CLIENTS };
        self.clients.unwrap_or(usual)
    }

    /// How much is measured.
    pub fn extent(&self) -> Extent {
        match self.orders {
            Some(orders) => Extent::Orders(orders),
            None => Extent::For(self.duration.unwrap_or(DURATION)),
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| (0.01..=1e6).contains(rate));
    rate.ok_or_else(|| "expected orders per second, 0.01 to 1000000".to_owned())
}

/// How many buyers meet how many units.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct FlashSaleArgs {
    /// Which server.
    #[command(flatten)]
    pub server: ServerArgs,
    /// How many buyers want one unit each
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = number(ORDERS_MAX))]
    pub buyers: usize,
    /// How many units there are
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = number(ORDERS_MAX))]
    pub units: usize,
    /// Connections that the buyers share
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = number(CLIENTS_MAX))]
    pub clients: usize,
}

/// How one product is reserved.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct HotSkuArgs {
    /// PostgreSQL, as postgres://user:password@host:5432/database
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<Secret>,
    /// How many clients reserve at a time; one measurement each
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,16,50")]
    #[arg(value_parser = number(CLIENTS_MAX))]
    pub clients: Vec<usize>,
    /// How long each measurement takes
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = RangedU64ValueParser::<u64>::new().range(1..=SECONDS_MAX))]
    pub seconds: u64,
    /// Write the figures as JSON, too
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

impl HotSkuArgs {
    /// Refuses an address that is malformed, before a driver reads it.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Some(url) = &self.database_url else { return Ok(()) };
        DATABASE.check(url.expose()).map_err(|fault| {
            let problem = Problem {
                variable: "DATABASE_URL".to_owned(),
                flag: "--database-url".to_owned(),
                value: None,
                accepted: format!("{fault}; {} (its value is not shown)", DATABASE.accepted()),
            };
            ConfigError { problems: vec![problem] }
        })
    }
}
