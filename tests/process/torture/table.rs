//! What was done so far, and what came of it.

use super::kind::Kind;
use super::recovery::Recovery;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Counts by kind.
pub struct Table {
    begun: Instant,
    rounds: u64,
    rows: BTreeMap<String, Row>,
}

#[derive(Default)]
struct Row {
    cycles: u64,
    orders: u64,
    recoveries: Vec<Recovery>,
}

impl Table {
    /// An empty one.
    pub fn new() -> Self {
        Self { begun: Instant::now(), rounds: 0, rows: BTreeMap::new() }
    }

    /// Since it was begun.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Adds a round whose books were checked: what was done, and the orders that were taken meanwhile.
    pub fn add(&mut self, round: Vec<(Kind, u64, Option<Recovery>)>) {
        self.rounds += 1;
        for (kind, orders, recovery) in round {
            let row = self.rows.entry(kind.name()).or_default();
            row.cycles += 1;
            row.orders += orders;
            row.recoveries.extend(recovery);
        }
    }

    /// One line of how far it is.
    pub fn progress(&self) -> String {
        let (cycles, orders) = self.sums();
        let (rounds, seconds) = (self.rounds, self.elapsed().as_secs());
        format!(
            "{:02}:{:02}:{:02}  {rounds} rounds, {cycles} cycles, {orders} orders checked, lost=0",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    }

    fn sums(&self) -> (u64, u64) {
        let rows = self.rows.values();
        rows.fold((0, 0), |(cycles, orders), row| (cycles + row.cycles, orders + row.orders))
    }

    /// All of it.
    pub fn print(&self, title: &str) {
        println!("\n{title}");
        println!("{:<24}{:>8}{:>10}{:>6}", "kind", "cycles", "orders", "lost");
        for (name, row) in &self.rows {
            println!("{name:<24}{:>8}{:>10}{:>6}", row.cycles, row.orders, 0);
        }
        let (cycles, orders) = self.sums();
        println!("{:<24}{cycles:>8}{orders:>10}{:>6}", "all", 0);
        for (name, row) in self.rows.iter().filter(|(_, row)| !row.recoveries.is_empty()) {
            let from_kill = spread(row.recoveries.iter().map(|recovery| recovery.settled));
            let away = spread(row.recoveries.iter().map(|recovery| recovery.away));
            let after = spread(row.recoveries.iter().map(Recovery::after));
            println!(
                "{name}: orders settle {from_kill} after the kill; the server is away for {away}, \
                 and it takes {after} from when it answers"
            );
        }
    }
}

fn spread(times: impl Iterator<Item = Duration>) -> String {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    format!("{median:.1?} (longest {longest:.1?})")
}
