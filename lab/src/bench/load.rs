//! The load: orders placed over some connections, in a closed loop or an open one.
//!
//! ```text
//! closed:  each connection    place ─▶ answer ─▶ place ─▶ answer …
//! open:    arrivals at a fixed rate ─▶ the next free connection; late or not, an order's latency counts
//!          from when it should have been placed, so that a slow answer hides none of those behind it
//! ```
//!
//! The timer that arrivals wait for has ticks of a millisecond: so much of an open loop's latency may be ours.

use super::catalogue::Catalogue;
use super::clock::WallClock;
use super::connection::ServerConnection;
use super::latency::Latencies;
use anyhow::bail;
use futures::future::try_join_all;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

/// The pause of a client who was turned away, where the server names none.
const PAUSE: Duration = Duration::from_millis(200);
/// After so many requests in a row that nobody answered, a client takes the server for dead.
const UNANSWERED_MAX: u32 = 20;
/// The pause after each of them.
const UNANSWERED_PAUSE: Duration = Duration::from_millis(100);

/// How much is placed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Extent {
    /// For so long.
    For(Duration),
    /// So many.
    Orders(u64),
}

/// How orders are placed.
#[derive(Clone, Debug)]
pub struct Load {
    /// The servers; connections take turns.
    pub urls: Vec<String>,
    /// What is bought.
    pub catalogue: Arc<Catalogue>,
    /// What part of the run it is: its orders have customers of their own.
    pub phase: &'static str,
    /// How many connections.
    pub clients: usize,
    /// Arrivals a second, in an open loop.
    pub rate: Option<f64>,
    /// How much is placed.
    pub extent: Extent,
}

/// An order that was accepted. Times are microseconds since 1970, by this machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    /// The order.
    pub id: Uuid,
    /// When it should have been placed.
    pub intended: i64,
    /// When it was.
    pub sent: i64,
    /// When it was answered.
    pub answered: i64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct LoadResult {
    /// The accepted orders.
    pub placed: Vec<Placed>,
    /// How many answers there were of each status.
    pub answers: BTreeMap<u16, u64>,
    /// Requests that nobody answered: nobody knows whether there is an order.
    pub unanswered: u64,
    /// From the first request to the last answer.
    pub took: Duration,
}

impl LoadResult {
    /// How many were turned away because the server was busy.
    pub fn turned_away(&self) -> u64 {
        self.answers.get(&503).copied().unwrap_or_default()
    }

    /// How long accepted orders waited for their answer, from when they should have been placed.
    pub fn posts(&self) -> Latencies {
        self.placed.iter().map(|order| order.answered - order.intended).collect()
    }

    fn add(&mut self, other: Self) {
        self.placed.extend(other.placed);
        for (status, count) in other.answers {
            *self.answers.entry(status).or_default() += count;
        }
        self.unanswered += other.unanswered;
    }
}

/// What all connections share.
struct Shared {
    load: Load,
    next: AtomicU64,
    began: Instant,
    clock: WallClock,
    accepted: Arc<AtomicU64>,
}

impl Load {
    /// Places the orders; `accepted` counts along.
    ///
    /// # Errors When the server does not respond.
    pub async fn run(
        self,
        clock: WallClock,
        accepted: Arc<AtomicU64>,
    ) -> anyhow::Result<LoadResult> {
        let (clients, began) = (self.clients, Instant::now());
        let shared =
            Arc::new(Shared { load: self, next: AtomicU64::new(0), began, clock, accepted });
        let clients = (0..clients).map(|number| tokio::spawn(client(shared.clone(), number)));
        let mut result = LoadResult::default();
        for own in try_join_all(clients).await? {
            result.add(own?);
        }
        result.took = began.elapsed();
        Ok(result)
    }

    /// When an order should be placed; none when there are no more.
    fn arrival(&self, number: u64, began: Instant, now: Instant) -> Option<Instant> {
        let at = match self.rate {
            Some(rate) => began + Duration::from_secs_f64(number as f64 / rate),
            None => now,
        };
        let is_in = match self.extent {
            Extent::For(duration) => at < began + duration,
            Extent::Orders(orders) => number < orders,
        };
        is_in.then_some(at)
    }
}

async fn client(shared: Arc<Shared>, number: usize) -> anyhow::Result<LoadResult> {
    let Shared { load, next, began, .. } = &*shared;
    let mut connection = ServerConnection::new(&load.urls[number % load.urls.len()]);
    let mut result = LoadResult::default();
    let mut silent = 0;
    loop {
        let number = next.fetch_add(1, Relaxed);
        let Some(intended) = load.arrival(number, *began, Instant::now()) else {
            return Ok(result);
        };
        if load.rate.is_some() {
            sleep_until(intended).await;
        }
        let body = load.catalogue.request(load.phase, number);
        // In an open loop an order that was turned away is gone, as a customer is. In a closed one its
        // client comes again: it has nothing else to do.
        while let Some(pause) = place(&shared, &mut connection, &body, intended, &mut result).await
        {
            silent = if pause == UNANSWERED_PAUSE { silent + 1 } else { 0 };
            if silent >= UNANSWERED_MAX {
                bail!("{} does not respond", load.urls.join(", "));
            }
            sleep(pause).await;
            if load.rate.is_some() || load.arrival(number, *began, Instant::now()).is_none() {
                break;
            }
        }
    }
}

/// Places an order once. Some: it was not taken, and this is the pause that is due.
async fn place(
    shared: &Shared,
    connection: &mut ServerConnection,
    body: &[u8],
    intended: Instant,
    result: &mut LoadResult,
) -> Option<Duration> {
    let Shared { load, clock, accepted, .. } = shared;
    let sent = Instant::now();
    let answer = connection.place(body).await;
    let answered = clock.micros(Instant::now());
    let Ok(answer) = answer else {
        result.unanswered += 1;
        return Some(UNANSWERED_PAUSE);
    };
    *result.answers.entry(answer.status).or_default() += 1;
    match answer.order {
        Some(id) if answer.status == 201 => {
            let intended = if load.rate.is_some() { intended } else { sent };
            let [intended, sent] = [intended, sent].map(|moment| clock.micros(moment));
            result.placed.push(Placed { id, intended, sent, answered });
            accepted.fetch_add(1, Relaxed);
            None
        }
        _ if answer.status == 503 => Some(match load.rate {
            // The next arrival waits for nobody.
            Some(_) => Duration::ZERO,
            None => answer.retry_after.unwrap_or(PAUSE),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(rate: Option<f64>, extent: Extent) -> Load {
        let catalogue = Arc::new(Catalogue::new(1, 1));
        Load { urls: Vec::new(), catalogue, phase: "main", clients: 1, rate, extent }
    }

    #[tokio::test]
    async fn arrivals_are_where_the_rate_puts_them_whatever_the_time_is() {
        let began = Instant::now();
        let late = began + Duration::from_secs(9);
        let open = load(Some(10.0), Extent::For(Duration::from_secs(2)));
        let at = |number| open.arrival(number, began, late).map(|at| at - began);
        assert_eq!(at(0), Some(Duration::ZERO));
        assert_eq!(at(19), Some(Duration::from_millis(1_900)));
        assert_eq!(at(20), None, "nothing arrives after the end");
        let closed = load(None, Extent::Orders(5));
        assert_eq!(closed.arrival(4, began, late), Some(late));
        assert_eq!(closed.arrival(5, began, late), None);
    }
}
