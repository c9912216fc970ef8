//! The demo: a day at the shop, played over HTTP against a running server, and a reconciliation afterwards.
//!
//! ```text
//! create the products ──▶ customers place orders of every scenario ──▶ all come to rest
//!                                                                    │
//!            report ◀── compare with what became of the orders ◀── read the services' records
//! ```
//!
//! Everything is asked over HTTP: the orders as a customer would, and what the services say of them as
//! `ordermill check` does. Its products bear names that no other run has, so that it can be played against a shop
//! in use.

mod catalogue;
mod currency;
mod customer;
mod gateway_page;
mod options;
mod order_mix;
mod order_records;
mod progress;
mod reconciliation;
mod report;
mod scenario;
#[cfg(test)]
mod tests;

use crate::key_arg::KeyArg;
use crate::waiting;
use anyhow::Context;
pub use catalogue::run_number;
pub use options::DemoOptions;

use catalogue::Catalogue;
use futures::StreamExt;
use options::Pace;
use ordermill_client::{Client, Error, Options};
use progress::Progress;
use scenario::{GatewayPages, Scenario};
use std::time::Duration;
use tokio::time::Instant;

/// Customers in the shop at once. Each mostly waits; the bound keeps a demo of many thousand
/// orders within some megabytes.
const CUSTOMERS_MAX: usize = 2_000;
/// How long one answer may take, and how long a busy server is asked again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the reconciliation may take to agree once all orders rest: the last records are still under way.
const RECONCILE_LIMIT: Duration = Duration::from_secs(10);
/// How often it is compared until then.
const RECONCILE_EVERY: Duration = Duration::from_millis(250);

/// Plays the demo and prints what came of it to the standard output.
///
/// True when every order ended as it should and stock, money, audit and notifications agree with
/// the orders. Names what does not otherwise.
///
/// # Errors
/// When the server cannot be reached or does not take the stock: there is nothing to report then.
pub async fn run(options: DemoOptions) -> anyhow::Result<bool> {
    let shop = client(&options.url, &options.key);
    let pages = waiting::report_waiting(
        || format!("{} to respond", options.url),
        gateway_pages(&shop, options.pages_end_soon),
    );
    let pages = pages.await.context("the shop does not answer")?;
    let scenarios = scenario::assign(options.orders, pages);
    let catalogue = Catalogue::for_run(&scenarios);
    report::opening(&options, &catalogue);
    let stocked =
        waiting::report_waiting(|| format!("{} to respond", options.url), catalogue.stock(&shop));
    stocked.await.context("stocking the products failed")?;

    let (runs, pace) = play(&shop, &catalogue, &scenarios).await;
    let order_records = order_records::read(&options, &catalogue, &runs);
    let order_records =
        waiting::report_waiting(|| "the services' records".to_owned(), order_records).await?;
    let reconciliation = reconcile_until_stable(&shop, &catalogue, &runs, &order_records);
    let reconciliation =
        waiting::report_waiting(|| "the reconciliation to finish".to_owned(), reconciliation)
            .await?;
    Ok(report::closing(&catalogue, &runs, &reconciliation, &pace))
}

/// What the pages of the shop's gateway can play.
async fn gateway_pages(shop: &Client, end_soon: bool) -> Result<GatewayPages, Error> {
    let are_served = gateway_page::are_served(shop).await?;
    Ok(match (are_served, end_soon) {
        (false, _) => GatewayPages::None,
        (true, false) => GatewayPages::Long,
        (true, true) => GatewayPages::Short,
    })
}

/// A client that waits for a busy server.
pub fn client(url: &str, key: &KeyArg) -> Client {
    let options = Options { request_timeout: PATIENCE, busy_timeout: PATIENCE, ..key.options() };
    Client::new(url, options)
}

/// Lets every customer play their part. An order that cannot be placed or watched is a run too.
async fn play(
    shop: &Client,
    catalogue: &Catalogue,
    scenarios: &[Scenario],
) -> (Vec<customer::CustomerRun>, Pace) {
    let progress = Progress::start("final orders", scenarios.len());
    let start = Instant::now();
    let runs = futures::stream::iter(scenarios.iter().enumerate())
        .map(|(number, scenario)| customer::play(shop, catalogue, *scenario, number, start))
        .buffer_unordered(CUSTOMERS_MAX)
        .inspect(|_| progress.step())
        .collect::<Vec<_>>();
    let runs = progress.during(runs).await;
    progress.finish();
    let placed = runs.iter().filter_map(|run| run.placed_after).max().unwrap_or_default();
    (runs, Pace { placed, settled: start.elapsed() })
}

/// Compares the stock and the services' records with the orders, again and again until they agree or time is up.
async fn reconcile_until_stable(
    shop: &Client,
    catalogue: &Catalogue,
    runs: &[customer::CustomerRun],
    order_records: &order_records::OrderRecords,
) -> anyhow::Result<reconciliation::Reconciliation> {
    let until = Instant::now() + RECONCILE_LIMIT;
    loop {
        let products = catalogue.load_stock(shop).await.context("reading the stock failed")?;
        let listed = order_records::listed(shop, catalogue).await?;
        let reconciliation =
            reconciliation::reconcile(catalogue, runs, order_records, &products, listed);
        if reconciliation.wrong.is_empty() || Instant::now() >= until {
            return Ok(reconciliation);
        }
        tokio::time::sleep(RECONCILE_EVERY).await;
    }
}
