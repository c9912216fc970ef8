//! The command line: what `ordermill-lab` was asked to do.

use crate::bench::{Bench, BenchArgs};
use crate::dashboards::DashboardsArgs;
use crate::fake_midtrans::FakeMidtransArgs;
use crate::simulate::{SimMode, SimOptions};
use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand};
use ordermill::cli::{Refusal, parse};
use ordermill_domain::planted::Bug;
use std::ffi::OsString;

#[derive(Parser)]
#[command(name = "ordermill-lab", version)]
#[command(about = "Proves and measures Ordermill: simulation with planted bugs, and benchmark")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure throughput, latency and cost per order, then verify the orders
    ///
    /// Places orders over HTTP and waits until all of them are confirmed, audited and notified.
    /// Exits with 1 if an order is lost or a unit is oversold.
    Bench(Box<BenchArgs>),
    /// Simulate two or three processes with injected faults, one seed after another
    ///
    /// The same seed replays exactly the same history. At the end every order must be final, and
    /// stock, money, shipments, audit and notifications must match its status. Exits with 1 if a
    /// seed fails, and prints the first.
    Sim(SimArgs),
    /// Run a fake of the Midtrans payment gateway until stopped
    ///
    /// Offers Snap and the Core API on one address, keeps everything in memory, and shows pages at
    /// which a person pays with a click. Set MIDTRANS_API_URL and MIDTRANS_SNAP_URL of a server to
    /// its URL. Faults are scripted by POST /_test/faults.
    FakeMidtrans(FakeMidtransArgs),
    /// Write the Grafana dashboards
    Dashboards(DashboardsArgs),
}

/// What the simulation is told.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct SimArgs {
    /// Number of seeds to run
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    #[arg(value_parser = RangedU64ValueParser::<u64>::new().range(1..))]
    seeds: u64,
    /// First seed
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    from: u64,
    /// Run only this seed
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Run each seed twice and compare the histories
    #[arg(long)]
    twice: bool,
    /// Print the history
    #[arg(long)]
    told: bool,
    /// Print the number of injected faults and handled messages
    #[arg(long)]
    coverage: bool,
    /// Enable a planted bug; an unknown name lists all (only in builds with the feature `planted`)
    #[arg(long, value_name = "NAME", value_parser = bug)]
    bug: Option<Bug>,
    /// Run seeds for every planted bug until one finds it (only in builds with the feature
    /// `planted`)
    #[arg(long, conflicts_with_all = ["twice", "told", "coverage", "bug"])]
    bugs: bool,
    /// Run the same orders in both flows and compare their outcomes
    #[arg(long, conflicts_with_all = ["twice", "told", "coverage", "bug", "bugs"])]
    flows: bool,
}

fn bug(name: &str) -> Result<Bug, String> {
    let names: Vec<_> = Bug::ALL.iter().map(|bug| bug.name()).collect();
    Bug::named(name).ok_or_else(|| format!("unknown bug; expected one of {}", names.join(", ")))
}

impl SimArgs {
    fn options(&self) -> SimOptions {
        let first = self.seed.unwrap_or(self.from);
        let count = if self.seed.is_some() { 1 } else { self.seeds };
        let seeds = first..first.saturating_add(count);
        let Self { twice, told, coverage, bug, bugs, flows, .. } = *self;
        let mode = match () {
            () if bugs => SimMode::Bugs,
            () if flows => SimMode::Flows,
            () => SimMode::Seeds { twice, told, coverage, bug },
        };
        SimOptions { seeds, mode }
    }
}

/// What is to be done, settings read and checked.
#[derive(Debug)]
pub enum Invocation {
    /// Measure.
    Bench(Box<Bench>),
    /// Simulate.
    Sim(SimOptions),
    /// Play Midtrans.
    FakeMidtrans(FakeMidtransArgs),
    /// Write the dashboards.
    Dashboards(DashboardsArgs),
}

impl Invocation {
    /// Reads a command line, and the environment.
    ///
    /// # Errors
    /// When help was asked for, or something is wrong.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, Refusal> {
        Ok(match parse::<Cli>(args)?.0.command {
            Command::Bench(args) => Self::Bench(Box::new(Bench::read(*args)?)),
            Command::Sim(args) => Self::Sim(args.options()),
            Command::FakeMidtrans(args) => Self::FakeMidtrans(args),
            Command::Dashboards(args) => Self::Dashboards(args),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Extent;
    use clap::CommandFactory;
    use std::time::Duration;

    fn parse(line: &str) -> Result<Invocation, Refusal> {
        Invocation::read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_benchmark_takes_a_rate_or_clients_a_duration_or_orders() {
        let orders = |line: &str| match parse(&format!("ordermill-lab bench {line}")) {
            Ok(Invocation::Bench(bench)) => match *bench {
                Bench::Orders(args, _) => args,
                other => panic!("{line}: {other:?}"),
            },
            other => panic!("{line}: {other:?}"),
        };
        let seconds = |count| Extent::For(Duration::from_secs(count));
        assert_eq!((orders("").clients(), orders("").extent()), (100, seconds(60)));
        assert_eq!(orders("orders --rate 500 --duration 5s").extent(), seconds(5));
        assert_eq!(orders("--orders 7").extent(), Extent::Orders(7));
        for bad in
            ["--rate 0", "--rate x", "--orders 0", "--orders 1 --duration 1s", "--watch-pid 7", "x"]
        {
            assert!(parse(&format!("ordermill-lab bench {bad}")).is_err(), "{bad}");
        }
        match parse("ordermill-lab bench hot-sku --clients 1,4 --seconds 2") {
            Ok(Invocation::Bench(bench)) => match *bench {
                Bench::HotSku(args) => assert_eq!((args.clients, args.seconds), (vec![1, 4], 2)),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
    #[test]
    fn the_fake_listens_on_loopback_only_and_never_shows_its_key() {
        let line = "ordermill-lab fake-midtrans --server-key s3cret";
        match parse(line) {
            Ok(Invocation::FakeMidtrans(args)) => assert!(!format!("{args:?}").contains("s3cret")),
            other => panic!("{other:?}"),
        }
        for bad in ["--listen 0.0.0.0:8091", "--listen 127.0.0.1", "--merchant-id"] {
            assert!(parse(&format!("{line} {bad}")).is_err(), "{bad}");
        }
    }
}
