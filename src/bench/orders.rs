//! `ordermill bench`: orders per second, accepted and settled, how long they took, and what they cost.
//!
//! ```text
//! start or find the server ─▶ stock ─▶ warm up, rest ─▶ read counters ─▶ load ─▶ rest ─▶ read counters
//!                                                                                           │
//!                                                      report ◀── books ◀── read all orders ┘
//! ```
//!
//! The load begins and ends with a system at rest, so that whatever was counted in between belongs to the
//! orders of the load. Nobody asks for an order while it is under way: when it was confirmed stands in its
//! history, and is read afterwards. That moment is the one of the decision; its commit, which makes it
//! visible, takes a few milliseconds more.

use super::args::OrdersArgs;
use super::books::{self, Settled, Wrong};
use super::clock::WallClock;
use super::doors::Doors;
use super::goods::Goods;
use super::latency::Latencies;
use super::load::{Extent, Harvest, Load};
use super::place::Place;
use super::process::MemoryWatch;
use super::readings::{Costs, Ledger, Readings};
use super::report::{OrdersReport, Setting, seconds};
use super::ticker;
use crate::config::Config;
use anyhow::ensure;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Units stocked of each product: more than any load orders.
const UNITS: u64 = 1_000_000_000;
/// A backlog may take this long to settle once no more orders are placed.
const REST_LIMIT: Duration = Duration::from_secs(600);

/// Runs it and prints what came of it. True when nothing was lost or oversold, and every request answered.
pub async fn run(args: OrdersArgs, config: &Config) -> anyhow::Result<bool> {
    ensure!(
        args.lines <= args.products,
        "each line is of another product: --products must be at least --lines"
    );
    let place = Place::open(&args.server, config).await?;
    let doors = Doors::open(&place.urls)?;
    let setting = Setting::of(&place, config);
    setting.announce();
    let goods = Arc::new(Goods::new(args.products, args.lines));
    goods.stock(doors.shop(), UNITS).await?;
    let load = |phase, extent| Load {
        urls: place.urls.clone(),
        goods: goods.clone(),
        phase,
        clients: args.clients(),
        rate: args.rate,
        extent,
    };
    if !args.warmup.is_zero() {
        drive(load("warm", Extent::For(args.warmup)), "warming up", &doors).await?;
        doors.rest(REST_LIMIT).await?;
    }

    let ledger = Ledger::take(&place).await?;
    let before = (Readings::take(&place, &doors).await?, ledger);
    let watch = place.server_pid().map(MemoryWatch::start);
    let began = Instant::now();
    let harvest = drive(load("main", args.extent()), "measuring", &doors).await?;
    let rested = doors.rest(REST_LIMIT).await? - began;
    let readings = Readings::take(&place, &doors).await?;
    let memory = watch.and_then(MemoryWatch::told);
    let after = (readings, Ledger::take(&place).await?);

    let orders = books::read(doors.shop(), goods.customers("main")).await?;
    let mut wrong = Wrong::default();
    books::complete(
        &harvest.placed,
        harvest.unanswered,
        &orders,
        Settled::is_confirmed,
        &mut wrong,
    );
    let compared =
        books::services_agree(&place.urls, &orders, goods.products(), &mut wrong).await?;
    let odd: Vec<_> =
        harvest.answers.iter().filter(|(status, _)| ![201, 503].contains(*status)).collect();
    for (status, count) in odd {
        wrong.note(format!("{count} requests were answered {status}"));
    }
    if harvest.unanswered > 0 {
        wrong.note(format!("{} requests were not answered", harvest.unanswered));
    }

    let pace = Pace::of(&harvest, &orders);
    let report = OrdersReport {
        setting,
        clients: args.clients(),
        rate: args.rate,
        products: args.products,
        lines: args.lines,
        accepted: harvest.placed.len(),
        accepted_per_s: pace.accepted,
        settled_per_s: pace.settled,
        settled_each_second: pace.each_second,
        turned_away: harvest.turned_away(),
        answers: harvest.answers.clone(),
        unanswered: harvest.unanswered,
        post: harvest.posts().percentiles(),
        post_to_confirmed: pace.confirmed.percentiles(),
        load_s: seconds(harvest.took),
        rest_s: seconds(rested),
        costs: Costs::between(before, after, harvest.placed.len()),
        memory,
        compared,
        wrong: wrong.into_lines(),
    };
    report.print();
    report.write(args.server.json.as_deref())?;
    Ok(report.wrong.is_empty())
}

/// Places the orders, and shows how far it is.
pub async fn drive(load: Load, what: &str, doors: &Doors) -> anyhow::Result<Harvest> {
    let accepted = Arc::new(AtomicU64::new(0));
    let extent = load.extent;
    tokio::select! {
        harvest = load.run(WallClock::start(), accepted.clone()) => harvest,
        () = ticker::tick(what, extent, doors, &accepted) => unreachable!("it ticks for ever"),
    }
}

/// How fast it was.
struct Pace {
    /// Accepted orders a second, from the first request to the last answer.
    accepted: f64,
    /// Confirmed orders a second, from the first acceptance to the last confirmation: a backlog counts against it.
    settled: f64,
    /// Confirmed orders in each second after the first acceptance.
    each_second: Vec<u64>,
    /// From when an order should have been placed to its confirmation.
    confirmed: Latencies,
}

impl Pace {
    fn of(harvest: &Harvest, orders: &BTreeMap<Uuid, Settled>) -> Self {
        let offset = books::clock_offset(&harvest.placed, orders);
        let confirmed: Vec<_> = harvest
            .placed
            .iter()
            .filter_map(|placed| Some((placed, orders.get(&placed.id)?)))
            .filter(|(_, order)| order.is_confirmed())
            .collect();
        let first = confirmed.iter().map(|(_, order)| order.created()).min().unwrap_or_default();
        let last = confirmed.iter().map(|(_, order)| order.rested()).max().unwrap_or_default();
        let mut each_second = vec![0; ((last - first) / 1_000_000) as usize + 1];
        for (_, order) in &confirmed {
            each_second[((order.rested() - first) / 1_000_000) as usize] += 1;
        }
        let latency = |(placed, order): &(&super::load::Placed, &Settled)| {
            order.rested() - offset - placed.intended
        };
        Self {
            accepted: harvest.placed.len() as f64 / harvest.took.as_secs_f64().max(1e-6),
            settled: confirmed.len() as f64 / ((last - first) as f64 / 1e6).max(1e-6),
            each_second,
            confirmed: confirmed.iter().map(latency).collect(),
        }
    }
}
