//! What `ordermill-lab bench` is told.

use super::load::Extent;
use clap::builder::RangedU64ValueParser;
use clap::{Args, Subcommand};
use ordermill::config::{ConfigError, DATABASE, Problem, Secret};
use ordermill_client::server_url;
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
    /// Accepted and settled orders per second (the default benchmark)
    Orders(OrdersArgs),
    /// Many buyers compete for a few units of one product
    ///
    /// Exactly as many orders as there are units must be confirmed; all others must be rejected.
    FlashSale(FlashSaleArgs),
    /// Reservations per second of one product, compared with row locks and optimistic locking
    ///
    /// Needs only DATABASE_URL. Uses its own schema and drops it at the end.
    HotSku(HotSkuArgs),
}

/// Which server is measured, and where the figures go.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct ServerArgs {
    /// URL of a running server; several servers of the same shop are used in turn. Default: start
    /// one, on a temporary data directory, or on DATABASE_URL and AMQP_URL
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub url: Vec<String>,
    /// Parent of the temporary data directory. Default: a directory on disk
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    pub temp_dir: Option<PathBuf>,
    /// Process whose CPU time is reported, including its children: `postgres=PID`, `rabbitmq=PID`,
    /// or `server=PID` for the server of --url. Processes of ./scripts/stack are found
    /// automatically
    #[arg(long, value_name = "NAME=PID")]
    pub watch_pid: Vec<Watch>,
    /// Also write the results as JSON
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
        let (name, pid) = text
            .split_once('=')
            .ok_or("expected a name and a process id, for example postgres=123")?;
        let pid =
            pid.parse().map_err(|_| "expected a process id after `=`, for example postgres=123")?;
        Ok(Self { name: name.to_owned(), pid })
    }
}

/// How orders are placed.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct OrdersArgs {
    /// Which server.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Open loop: number of orders per second, independent of earlier responses. Latencies are
    /// measured from the scheduled time of an order
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    pub rate: Option<f64>,
    /// Number of connections. Without --rate this is a closed loop: each connection places its next
    /// order after the previous response. Default: 100, or 256 with --rate
    #[arg(long, value_name = "N", value_parser = number(CLIENTS_MAX))]
    clients: Option<usize>,
    /// Duration of the measurement [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    /// Number of orders to place, instead of a duration
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    #[arg(value_parser = RangedU64ValueParser::<u64>::new().range(1..=ORDERS_MAX))]
    orders: Option<u64>,
    /// Number of products
    #[arg(long, value_name = "M", default_value_t = 10, value_parser = number(PRODUCTS_MAX))]
    pub products: usize,
    /// Lines per order, each with a different product
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = number(LINES_MAX))]
    pub lines: usize,
    /// Warm-up time before the measurement
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
    /// Number of buyers; each orders one unit
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = number(ORDERS_MAX))]
    pub buyers: usize,
    /// Number of units in stock
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = number(ORDERS_MAX))]
    pub units: usize,
    /// Number of connections, shared by the buyers
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = number(CLIENTS_MAX))]
    pub clients: usize,
}

/// How one product is reserved.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct HotSkuArgs {
    /// PostgreSQL URL, for example postgres://user:password@host:5432/database
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<Secret>,
    /// Numbers of concurrent clients; one measurement for each
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,16,50")]
    #[arg(value_parser = number(CLIENTS_MAX))]
    pub clients: Vec<usize>,
    /// Duration of each measurement in seconds
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = RangedU64ValueParser::<u64>::new().range(1..=SECONDS_MAX))]
    pub seconds: u64,
    /// Also write the results as JSON
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
