//! The demo: a day at the shop, played over HTTP against a running server, and its books afterwards.
//!
//! ```text
//! stock the shelves ──▶ customers place orders of every fate ──▶ all come to rest
//!                                                                    │
//!            report ◀── compare with what became of the orders ◀── read the papers
//! ```
//!
//! Everything is asked over HTTP: the orders as a customer would, and what the services say of them as
//! `ordermill check` does. Its products bear names that no other run has, so that it can be played against a shop
//! in use.

mod basket;
mod books;
mod catalogue;
mod customer;
mod fate;
mod papers;
mod progress;
mod report;
pub(crate) mod shop;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod views;

use anyhow::Context;
pub(crate) use catalogue::run_number;

use catalogue::Catalogue;
use fate::Fate;
use futures::StreamExt;
use progress::Progress;
use shop::Shop;
use std::time::Duration;
use tokio::time::Instant;

/// Customers in the shop at once. Each mostly waits; the bound keeps a demo of many thousand
/// orders within some megabytes.
const CUSTOMERS_MAX: usize = 2_000;
/// How long the books may take to agree once all orders rest: the last papers are still under way.
const BOOKS_LIMIT: Duration = Duration::from_secs(10);
/// How often the books are read until then.
const BOOKS_AGAIN: Duration = Duration::from_millis(250);

/// What the demo plays, and where.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// The server, as `http://127.0.0.1:8080`, without a slash at its end.
    pub url: String,
    /// How many orders are placed.
    pub orders: usize,
}

/// How long the day took.
struct Pace {
    placed: Duration,
    settled: Duration,
}

/// Plays the demo and prints what came of it to the standard output.
///
/// True when every order ended as it should and stock, money, audit and notifications agree with
/// the orders. Names what does not otherwise.
///
/// # Errors
/// When the server cannot be reached or does not take the stock: there is nothing to report then.
pub async fn run(options: DemoOptions) -> anyhow::Result<bool> {
    let shop = Shop::open(&options.url)?;
    let fates = fate::deal(options.orders);
    let catalogue = Catalogue::for_run(&fates);
    report::opening(&options, &catalogue);
    catalogue.stock(&shop).await.context("the shelves could not be stocked")?;

    let (stories, pace) = play(&shop, &catalogue, &fates).await;
    let papers = papers::read(&options.url, &catalogue, &stories).await?;
    let books = settle_books(&shop, &catalogue, &stories, &papers).await?;
    Ok(report::closing(&catalogue, &stories, &books, &pace))
}

/// Lets every customer play their part. An order that cannot be placed or watched is a story too.
async fn play(shop: &Shop, catalogue: &Catalogue, fates: &[Fate]) -> (Vec<customer::Story>, Pace) {
    let progress = Progress::start("orders at rest", fates.len());
    let start = Instant::now();
    let stories = futures::stream::iter(fates.iter().enumerate())
        .map(|(number, fate)| customer::play(shop, catalogue, *fate, number, start))
        .buffer_unordered(CUSTOMERS_MAX)
        .inspect(|_| progress.step())
        .collect::<Vec<_>>()
        .await;
    progress.finish();
    let placed = stories.iter().filter_map(|story| story.placed_after).max().unwrap_or_default();
    (stories, Pace { placed, settled: start.elapsed() })
}

/// Compares the shelves and the papers with the orders, again and again until they agree or time is up.
async fn settle_books(
    shop: &Shop,
    catalogue: &Catalogue,
    stories: &[customer::Story],
    papers: &papers::Papers,
) -> anyhow::Result<books::Books> {
    let until = Instant::now() + BOOKS_LIMIT;
    loop {
        let shelves = catalogue.look(shop).await.context("the shelves could not be read")?;
        let listed = papers::listed(shop, catalogue).await?;
        let books = books::balance(catalogue, stories, papers, &shelves, listed);
        if books.wrong.is_empty() || Instant::now() >= until {
            return Ok(books);
        }
        tokio::time::sleep(BOOKS_AGAIN).await;
    }
}
