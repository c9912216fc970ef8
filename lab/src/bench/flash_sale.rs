//! `ordermill-lab bench flash-sale`: many buyers want one unit each of a product of which there are few.
//!
//! As many orders as there are units must be confirmed, and all others refused for want of stock. A buyer who
//! is turned away (503) comes again after the time that the server names.

use super::args::FlashSaleArgs;
use super::catalogue::Catalogue;
use super::latency::Percentiles;
use super::load::{Extent, Load};
use super::measure::{Measured, measure};
use super::place::Place;
use super::process::Memory;
use super::readings::Costs;
use super::report::{self, Setting, seconds};
use super::servers::Servers;
use super::verify::{self, Faults};
use ordermill::config::Config;
use ordermill::table::{Paint, Tone};
use ordermill::waiting;
use ordermill_client::Order;
use serde::Serialize;
use std::sync::Arc;

/// What came of it.
#[derive(Debug, Serialize)]
struct Report {
    setting: Setting,
    buyers: usize,
    units: usize,
    clients: usize,
    confirmed: usize,
    refused: usize,
    /// Requests that were turned away, and came again.
    turned_away: u64,
    /// From the first request to the last answer to a POST.
    accepted_s: f64,
    /// From the first request to the last decision.
    decided_s: f64,
    /// From the first request until audit and notifications have caught up, too.
    rest_s: f64,
    post: Percentiles,
    /// What one order has cost; nearly all of them were refused.
    costs: Costs,
    memory: Option<Memory>,
    wrong: Vec<String>,
}

/// Runs it and prints what came of it. True when exactly the units were sold.
pub async fn run(args: FlashSaleArgs, config: &Config) -> anyhow::Result<bool> {
    let FlashSaleArgs { server, buyers, units, clients } = args;
    let place = Place::open(&server, config).await?;
    let servers = Servers::open(&place.urls)?;
    let setting = Setting::of(&place, config);
    setting.announce();
    let catalogue = Arc::new(Catalogue::new(1, 1));
    let stocked = catalogue.stock(servers.shop(), units as i64);
    waiting::report_waiting(|| "the server to respond".to_owned(), stocked).await?;
    let load = Load {
        urls: place.urls.clone(),
        catalogue: catalogue.clone(),
        phase: "sale",
        clients,
        rate: None,
        extent: Extent::Orders(buyers as u64),
    };
    let Measured { result, rested, memory, before, after } =
        measure(&place, &servers, load, "sale").await?;

    let orders = verify::read(servers.shop(), catalogue.customers("sale"));
    let orders = waiting::report_waiting(|| "the list of all orders".to_owned(), orders).await?;
    let mut wrong = Faults::default();
    let is_well = |order: &Order| verify::is_confirmed(order) || verify::is_sold_out(order);
    verify::complete(&result.placed, result.unanswered, &orders, is_well, &mut wrong);
    let agree = verify::services_agree(&place.urls, &orders, catalogue.products(), &mut wrong);
    waiting::report_waiting(|| "the services' records".to_owned(), agree).await?;
    let count = |is: fn(&Order) -> bool| orders.values().filter(|order| is(order)).count();
    let (confirmed, refused) = (count(verify::is_confirmed), count(verify::is_sold_out));
    if confirmed != units.min(buyers) {
        wrong.note(format!("{confirmed} orders were confirmed for {units} units"));
    }
    if result.placed.len() != buyers {
        wrong.note(format!("{} of {buyers} buyers received a response", result.placed.len()));
    }
    let first = orders.values().map(verify::created).min().unwrap_or_default();
    let last = orders.values().map(verify::rested).max().unwrap_or_default();
    let report = Report {
        setting,
        buyers,
        units,
        clients,
        confirmed,
        refused,
        turned_away: result.turned_away(),
        accepted_s: seconds(result.took),
        decided_s: (last - first) as f64 / 1e6,
        rest_s: seconds(rested),
        post: result.posts().percentiles(),
        costs: Costs::between(before, after, buyers),
        memory,
        wrong: wrong.into_lines(),
    };
    report.print();
    report::write(&report, server.json.as_deref())?;
    Ok(report.wrong.is_empty())
}

impl Report {
    fn print(&self) {
        let paint = Paint::for_stdout();
        let Self { buyers, units, clients, confirmed, refused, turned_away, .. } = self;
        let heading = format!("{buyers} buyers, {units} units, {clients} connections");
        ordermill::say!("\n{}", paint.tone(Tone::Heading, &heading));
        ordermill::say!("  confirmed {confirmed}, refused {refused}");
        ordermill::say!("  rejected and retried (503): {turned_away}");
        ordermill::say!("  all responses after       {:>7.1} s", self.accepted_s);
        ordermill::say!("  last order decided after  {:>7.1} s", self.decided_s);
        ordermill::say!("  all orders final after    {:>7.1} s", self.rest_s);
        ordermill::say!("\n{}", report::percentiles(&[("POST", &self.post)], paint));
        ordermill::say!("{}", report::costs(&self.costs, "order", paint));
        report::memory(self.memory);
        report::verification(&format!("each of {buyers} orders, the stock"), &self.wrong, paint);
    }
}
