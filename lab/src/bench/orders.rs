//! `ordermill-lab bench`: orders per second, accepted and settled, how long they took, and what they cost.
//!
//! ```text
//! start or find the server ─▶ stock ─▶ warm up, rest ─▶ read counters ─▶ load ─▶ rest ─▶ read counters
//!                                                                                           │
//!                                                      report ◀── verify ◀── read all orders ┘
//! ```
//!
//! The load begins and ends with a system at rest, so that whatever was counted in between belongs to the
//! orders of the load. Nobody asks for an order while it is under way: when it was confirmed stands in its
//! history, and is read afterwards. That moment is the one of the decision; its commit, which makes it
//! visible, takes a few milliseconds more.

use super::args::OrdersArgs;
use super::catalogue::Catalogue;
use super::latency::Latencies;
use super::load::{Extent, Load, LoadResult};
use super::measure::{Measured, drive, measure, rest};
use super::place::Place;
use super::readings::Costs;
use super::report::{OrdersReport, Setting, seconds};
use super::servers::Servers;
use super::verify::{self, Faults};
use anyhow::ensure;
use ordermill::config::Config;
use ordermill::waiting;
use ordermill_client::Order;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Units stocked of each product: more than any load orders.
const UNITS: i64 = 1_000_000_000;
/// Runs it and prints what came of it. True when nothing was lost or oversold, and every request answered.
pub async fn run(args: OrdersArgs, config: &Config) -> anyhow::Result<bool> {
    ensure!(
        args.lines <= args.products,
        "each line needs its own product: --products must be at least --lines"
    );
    let place = Place::open(&args.server, config).await?;
    let servers = Servers::open(&place.urls)?;
    let setting = Setting::of(&place, config);
    setting.announce();
    let catalogue = Arc::new(Catalogue::new(args.products, args.lines));
    waiting::report_waiting(
        || "the server to respond".to_owned(),
        catalogue.stock(servers.shop(), UNITS),
    )
    .await?;
    let load = |phase, extent| Load {
        urls: place.urls.clone(),
        catalogue: catalogue.clone(),
        phase,
        clients: args.clients(),
        rate: args.rate,
        extent,
    };
    if !args.warmup.is_zero() {
        drive(load("warm", Extent::For(args.warmup)), "warming up", &servers).await?;
        rest(&servers).await?;
    }

    let Measured { result, rested, memory, before, after } =
        measure(&place, &servers, load("main", args.extent()), "measuring").await?;

    let orders = verify::read(servers.shop(), catalogue.customers("main"));
    let orders = waiting::report_waiting(|| "the list of all orders".to_owned(), orders).await?;
    let mut wrong = Faults::default();
    verify::complete(&result.placed, result.unanswered, &orders, verify::is_confirmed, &mut wrong);
    let agree = verify::services_agree(&place.urls, &orders, catalogue.products(), &mut wrong);
    let compared = waiting::report_waiting(|| "the services' records".to_owned(), agree).await?;
    let odd: Vec<_> =
        result.answers.iter().filter(|(status, _)| ![201, 503].contains(*status)).collect();
    for (status, count) in odd {
        wrong.note(format!("{count} requests got status {status}"));
    }
    if result.unanswered > 0 {
        wrong.note(format!("{} requests got no response", result.unanswered));
    }

    let pace = Pace::of(&result, &orders);
    let report = OrdersReport {
        setting,
        clients: args.clients(),
        rate: args.rate,
        products: args.products,
        lines: args.lines,
        accepted: result.placed.len(),
        accepted_per_s: pace.accepted,
        settled_per_s: pace.settled,
        settled_each_second: pace.each_second,
        turned_away: result.turned_away(),
        answers: result.answers.clone(),
        unanswered: result.unanswered,
        post: result.posts().percentiles(),
        post_to_confirmed: pace.confirmed.percentiles(),
        load_s: seconds(result.took),
        rest_s: seconds(rested),
        costs: Costs::between(before, after, result.placed.len()),
        memory,
        compared,
        wrong: wrong.into_lines(),
    };
    report.print();
    report.write(args.server.json.as_deref())?;
    Ok(report.wrong.is_empty())
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
    fn of(result: &LoadResult, orders: &BTreeMap<Uuid, Order>) -> Self {
        let offset = verify::clock_offset(&result.placed, orders);
        let confirmed: Vec<_> = result
            .placed
            .iter()
            .filter_map(|placed| Some((placed, orders.get(&placed.id)?)))
            .filter(|(_, order)| verify::is_confirmed(order))
            .collect();
        let first =
            confirmed.iter().map(|(_, order)| verify::created(order)).min().unwrap_or_default();
        let last =
            confirmed.iter().map(|(_, order)| verify::rested(order)).max().unwrap_or_default();
        let mut each_second = vec![0; ((last - first) / 1_000_000) as usize + 1];
        for (_, order) in &confirmed {
            each_second[((verify::rested(order) - first) / 1_000_000) as usize] += 1;
        }
        let latency = |(placed, order): &(&super::load::Placed, &Order)| {
            verify::rested(order) - offset - placed.intended
        };
        Self {
            accepted: result.placed.len() as f64 / result.took.as_secs_f64().max(1e-6),
            settled: confirmed.len() as f64 / ((last - first) as f64 / 1e6).max(1e-6),
            each_second,
            confirmed: confirmed.iter().map(latency).collect(),
        }
    }
}
