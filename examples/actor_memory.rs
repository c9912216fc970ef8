//! What an actor costs in memory: a whole server in this process, an allocator that counts, and orders that
//! wait for a gateway that does not answer.
//!
//! ```sh
//! cargo run --release --example actor_memory -- 5000
//! ```
//!
//! It prints the bytes that an order under way takes (its saga is in memory, its payment has left it and waits
//! for an answer), and of which sizes they are: a size that occurs about once an order is somebody's.

#![expect(clippy::print_stdout, reason = "an example prints its result")]
#![expect(unsafe_code, reason = "an allocator that counts is unsafe to write")]

use anyhow::Context;
use ordermill::app::App;
use ordermill::config::Config;
use ordermill_client::{Client, Options};
use serde_json::json;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::time::Duration;

/// Allocations are told apart up to this size, in bytes.
const SIZE_MAX: usize = 1 << 17;
/// Sizes within so many bytes of each other count as one.
const GRAIN: usize = 8;
/// What the server does at first, and what it goes on doing after the orders, is over after this time.
const SETTLES: Duration = Duration::from_secs(3);
/// Who places the orders at the same time.
const CLIENTS: usize = 16;

/// Counts what is allocated and not freed, by size.
struct Counting;

static LIVE: [AtomicIsize; SIZE_MAX / GRAIN] = [const { AtomicIsize::new(0) }; SIZE_MAX / GRAIN];
static BYTES: AtomicIsize = AtomicIsize::new(0);

fn count(size: usize, by: isize) {
    LIVE[(size / GRAIN).min(LIVE.len() - 1)].fetch_add(by, Relaxed);
    BYTES.fetch_add(by * size.cast_signed(), Relaxed);
}

// SAFETY: everything is done by the system's allocator; beside it, numbers are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn live() -> (isize, Vec<isize>) {
    (BYTES.load(Relaxed), LIVE.iter().map(|count| count.load(Relaxed)).collect())
}

/// How long an order that is turned away is placed again.
const BUSY_TIMEOUT: Duration = Duration::from_secs(600);

async fn place(client: &Client, orders: usize) -> anyhow::Result<()> {
    let order = json!({
        "customer_id": "open",
        "payment_method": "credit_card",
        "items": [{"product_id": "OPEN", "quantity": 1, "unit_price": 9.99}],
    });
    let clients = (0..CLIENTS).map(async |_| {
        for _ in 0..orders / CLIENTS {
            client.place(&order, None).await?;
        }
        anyhow::Ok(())
    });
    futures::future::try_join_all(clients).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let orders = std::env::args().nth(1).map_or(Ok(5_000), |text| text.parse::<usize>());
    let orders = orders.context("expected how many orders")?;
    let data = tempfile::tempdir()?;
    let mut config = Config::for_testing(data.path());
    // Nothing moves once an order waits.
    let long = Duration::from_secs(600);
    (config.payment.latency, config.payment.timeout) = (long, long);
    (config.order.step_timeout, config.idle_after) = (long, long);
    let app = App::start(config).await?;
    let options = Options {
        busy_timeout: BUSY_TIMEOUT,
        busy_pause_max: Duration::from_millis(200),
        ..Options::default()
    };
    let client = Client::new(&app.url(), options);
    client.stock("OPEN", 1_000_000_000).await?;
    // What grows with the first orders only is not theirs.
    place(&client, orders / 5).await?;
    tokio::time::sleep(SETTLES).await;
    let (bytes_before, before) = live();
    place(&client, orders).await?;
    tokio::time::sleep(SETTLES).await;
    let (bytes, after) = live();
    let each = |number: isize| number as f64 / orders as f64;
    println!("{:.0} bytes an order under way", each(bytes - bytes_before));
    let mut sizes: Vec<_> = before
        .iter()
        .zip(&after)
        .enumerate()
        .map(|(index, (before, after))| (index * GRAIN, after - before))
        .filter(|(_, more)| each(*more) > 0.02)
        .collect();
    sizes.sort_by_key(|(size, more)| -(size.cast_signed() * more));
    for (size, more) in sizes {
        println!(
            "{size:>8} bytes  {:>6.2} times  {:>6.0} in all",
            each(more),
            each(more * size.cast_signed())
        );
    }
    Ok(())
}
