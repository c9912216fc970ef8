//! The benchmark: how many orders a second are accepted and settled, how long each takes, what it costs, and
//! whether the records reconcile afterwards. A run that loses or oversells is a failure, whatever its speed.
//!
//! ```text
//! ordermill-lab bench              orders at a fixed rate, or as fast as N clients are answered
//! ordermill-lab bench flash-sale   a hundred thousand buyers for ten units
//! ordermill-lab bench hot-sku      reservations of one product, beside the usual ways to make them
//! ```
//!
//! The first two ask everything over HTTP, as customers and operators do. The server runs in a process of its
//! own: its CPU time and memory are not ours.

mod args;
mod catalogue;
mod clock;
mod connection;
mod flash_sale;
mod hot_sku;
mod latency;
mod load;
mod measure;
mod orders;
mod place;
mod postgres;
mod process;
mod progress;
mod readings;
mod report;
mod servers;
mod sqlite;
mod stack;
mod verify;

pub use args::{BenchArgs, BenchCommand, FlashSaleArgs, HotSkuArgs, OrdersArgs, ServerArgs, Watch};
pub use load::Extent;

use ordermill::config::{Config, ConfigError};
use ordermill::stop_signal::asked_to_stop;

/// What is measured, settings read and checked.
#[derive(Debug)]
pub enum Bench {
    /// Orders.
    Orders(OrdersArgs, Box<Config>),
    /// A flash sale.
    FlashSale(FlashSaleArgs, Box<Config>),
    /// One product.
    HotSku(HotSkuArgs),
}

impl Bench {
    /// What the command line asks for.
    pub fn read(args: BenchArgs) -> Result<Self, ConfigError> {
        let config = || Config::for_bench().map(Box::new);
        Ok(match args.command.unwrap_or(BenchCommand::Orders(args.orders)) {
            BenchCommand::Orders(args) => Self::Orders(args, config()?),
            BenchCommand::FlashSale(args) => Self::FlashSale(args, config()?),
            BenchCommand::HotSku(args) => {
                args.check()?;
                Self::HotSku(args)
            }
        })
    }

    /// What whoever started it should know of its settings; nothing where it starts no server.
    pub fn notices(&self) -> &[String] {
        let (server, config) = match self {
            Self::Orders(args, config) => (&args.server, config),
            Self::FlashSale(args, config) => (&args.server, config),
            Self::HotSku(_) => return &[],
        };
        if server.url.is_empty() { &config.notices } else { &[] }
    }
}

/// Measures, and prints what came of it to the standard output. True when the records reconcile.
///
/// # Errors
/// When there is nothing to tell: the server does not start, does not answer, or does not come to rest.
pub async fn run(bench: Bench) -> anyhow::Result<bool> {
    let measured = async {
        match bench {
            Bench::Orders(args, config) => orders::run(args, &config).await,
            Bench::FlashSale(args, config) => flash_sale::run(args, &config).await,
            Bench::HotSku(args) => hot_sku::run(args).await,
        }
    };
    // Broken off, it still ends its server and removes its data.
    tokio::select! {
        biased;
        () = asked_to_stop() => anyhow::bail!("interrupted"),
        well = measured => well,
    }
}
