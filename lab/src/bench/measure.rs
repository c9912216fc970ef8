//! The measured part of a run: readings, load, the wait until all orders are final, readings again.

use super::clock::WallClock;
use super::load::{Load, LoadResult};
use super::place::Place;
use super::process::{Memory, MemoryWatch};
use super::progress;
use super::readings::{Ledger, Readings};
use super::servers::Servers;
use ordermill::waiting;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::time::Instant;

/// A backlog may take this long to settle once no more orders are placed.
const REST_LIMIT: Duration = Duration::from_secs(600);

/// The outcome of a load.
pub struct Measured {
    /// The answers to its requests.
    pub result: LoadResult,
    /// From the first request until audit and notifications have caught up.
    pub rested: Duration,
    /// The memory of the server, if it runs on this machine.
    pub memory: Option<Memory>,
    /// The readings before the load.
    pub before: (Readings, Ledger),
    /// The readings after it.
    pub after: (Readings, Ledger),
}

/// Runs a load and reads what it has used.
///
/// # Errors
/// When the server does not answer, or its orders do not become final.
pub async fn measure(
    place: &Place,
    servers: &Servers,
    load: Load,
    what: &str,
) -> anyhow::Result<Measured> {
    let ledger = ledger(place).await?;
    let before = (Readings::take(place, servers).await?, ledger);
    let watch = place.server_pid().map(MemoryWatch::start);
    let began = Instant::now();
    let result = drive(load, what, servers).await?;
    let rested = rest(servers).await? - began;
    let readings = Readings::take(place, servers).await?;
    let memory = watch.and_then(MemoryWatch::told);
    let after = (readings, self::ledger(place).await?);
    Ok(Measured { result, rested, memory, before, after })
}

async fn ledger(place: &Place) -> anyhow::Result<Ledger> {
    waiting::report_waiting(|| "the databases' counters".to_owned(), Ledger::take(place)).await
}

/// Waits until all orders are final; when they were.
pub async fn rest(servers: &Servers) -> anyhow::Result<Instant> {
    let rested = servers.rest(REST_LIMIT);
    waiting::report_waiting(|| "the last orders to settle".to_owned(), rested).await
}

/// Places the orders, and shows how far it is.
pub async fn drive(load: Load, what: &str, servers: &Servers) -> anyhow::Result<LoadResult> {
    let accepted = Arc::new(AtomicU64::new(0));
    let extent = load.extent;
    tokio::select! {
        result = load.run(WallClock::start(), accepted.clone()) => result,
        () = progress::tick(what, extent, servers, &accepted) => unreachable!("it ticks for ever"),
    }
}
