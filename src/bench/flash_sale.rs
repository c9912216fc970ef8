//! `ordermill bench flash-sale`: many buyers want one unit each of a product of which there are few.
//!
//! As many orders as there are units must be confirmed, and all others refused for want of stock. A buyer who
//! is turned away (503) comes again after the time that the server names.

use super::args::FlashSaleArgs;
use super::books::{self, Settled, Wrong};
use super::doors::Doors;
use super::goods::Goods;
use super::latency::Percentiles;
use super::load::{Extent, Load};
use super::orders::drive;
use super::place::Place;
use super::process::{Memory, MemoryWatch};
use super::readings::{Costs, Ledger, Readings};
use super::report::{self, Setting, seconds};
use crate::config::Config;
use crate::demo::table::{Paint, Tone};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Everything may take this long to come to rest once all buyers were answered.
const REST_LIMIT: Duration = Duration::from_secs(600);

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
    let doors = Doors::open(&place.urls)?;
    let setting = Setting::of(&place, config);
    setting.announce();
    let goods = Arc::new(Goods::new(1, 1));
    goods.stock(doors.shop(), units as u64).await?;
    let ledger = Ledger::take(&place).await?;
    let before = (Readings::take(&place, &doors).await?, ledger);
    let load = Load {
        urls: place.urls.clone(),
        goods: goods.clone(),
        phase: "sale",
        clients,
        rate: None,
        extent: Extent::Orders(buyers as u64),
    };
    let watch = place.server_pid().map(MemoryWatch::start);
    let began = Instant::now();
    let harvest = drive(load, "sale", &doors).await?;
    let rested = doors.rest(REST_LIMIT).await? - began;
    let readings = Readings::take(&place, &doors).await?;
    let memory = watch.and_then(MemoryWatch::told);
    let after = (readings, Ledger::take(&place).await?);

    let orders = books::read(doors.shop(), goods.customers("sale")).await?;
    let mut wrong = Wrong::default();
    let is_well = |order: &Settled| order.is_confirmed() || order.is_sold_out();
    books::complete(&harvest.placed, harvest.unanswered, &orders, is_well, &mut wrong);
    books::services_agree(&place.urls, &orders, goods.products(), &mut wrong).await?;
    let count = |is: fn(&Settled) -> bool| orders.values().filter(|order| is(order)).count();
    let (confirmed, refused) = (count(Settled::is_confirmed), count(Settled::is_sold_out));
    if confirmed != units.min(buyers) {
        wrong.note(format!("{confirmed} orders were confirmed, for {units} units"));
    }
    if harvest.placed.len() != buyers {
        wrong.note(format!("{} of {buyers} buyers were answered", harvest.placed.len()));
    }
    let first = orders.values().map(Settled::created).min().unwrap_or_default();
    let last = orders.values().map(Settled::rested).max().unwrap_or_default();
    let report = Report {
        setting,
        buyers,
        units,
        clients,
        confirmed,
        refused,
        turned_away: harvest.turned_away(),
        accepted_s: seconds(harvest.took),
        decided_s: (last - first) as f64 / 1e6,
        rest_s: seconds(rested),
        post: harvest.posts().percentiles(),
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
        crate::say!("\n{}", paint.tone(Tone::Heading, &heading));
        crate::say!("  confirmed {confirmed}, refused {refused}");
        crate::say!("  turned away and come again (503): {turned_away}");
        crate::say!("  every buyer answered after {:>7.1} s", self.accepted_s);
        crate::say!("  the last order decided after {:>5.1} s", self.decided_s);
        crate::say!("  everything at rest after   {:>7.1} s", self.rest_s);
        crate::say!("\n{}", report::percentiles(&[("POST", &self.post)], paint));
        crate::say!("{}", report::costs(&self.costs, "order", paint));
        report::memory(self.memory);
        report::books(&format!("each of {buyers} orders, the shelf"), &self.wrong, paint);
    }
}
