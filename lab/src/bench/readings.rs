//! What a run has cost: everything that counts up is read before and after.

use super::place::Place;
use super::postgres::{self, Rows, Written};
use super::process::{self, Usage};
use super::servers::Servers;
use super::sqlite;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// This process, beside those that are watched.
const GENERATOR: &str = "load generator";

/// Everything that counts up, at one moment.
pub struct Readings {
    processes: BTreeMap<String, Usage>,
    deliveries: BTreeMap<String, u64>,
}

/// What was written, by the database's own count.
pub enum Ledger {
    /// PostgreSQL's statistics.
    Postgres(Written),
    /// The rows that the embedded databases have.
    Sqlite(BTreeMap<String, i64>),
    /// Nobody can be asked.
    Unknown,
}

impl Readings {
    /// Reads processes and consumers.
    pub async fn take(place: &Place, servers: &Servers) -> anyhow::Result<Self> {
        let watched = place.watched.iter().map(|watch| (watch.name.clone(), watch.pid));
        let own = (GENERATOR.to_owned(), std::process::id());
        // The generator's own children are the server, which counts by itself.
        let mut processes: BTreeMap<_, _> =
            watched.filter_map(|(name, pid)| Some((name, process::usage_of_tree(pid)?))).collect();
        processes.extend(process::usage(own.1).map(|usage| (own.0, usage)));
        Ok(Self { processes, deliveries: servers.deliveries().await? })
    }
}

impl Ledger {
    /// Asks whoever can be asked. Takes some seconds on PostgreSQL.
    pub async fn take(place: &Place) -> anyhow::Result<Self> {
        Ok(match (&place.data, &place.database_url) {
            (Some(data), _) => Self::Sqlite(sqlite::rows(data).await?),
            (None, Some(url)) => Self::Postgres(postgres::written(url).await?),
            (None, None) => Self::Unknown,
        })
    }

    fn since(self, earlier: Self) -> Self {
        match (self, earlier) {
            (Self::Postgres(after), Self::Postgres(before)) => Self::Postgres(after.since(&before)),
            (Self::Sqlite(after), Self::Sqlite(before)) => {
                let kept = after.into_iter().map(|(table, rows)| {
                    let kept = rows - before.get(&table).copied().unwrap_or_default();
                    (table, kept)
                });
                Self::Sqlite(kept.filter(|(_, rows)| *rows != 0).collect())
            }
            (Self::Postgres(_) | Self::Sqlite(_) | Self::Unknown, _) => Self::Unknown,
        }
    }
}

/// What one order has cost, on average.
#[derive(Debug, Default, Serialize)]
pub struct Costs {
    /// CPU time in microseconds, by process.
    pub cpu_us: BTreeMap<String, f64>,
    /// Bytes sent to the disk, by process, where the kernel tells.
    pub disk_bytes: BTreeMap<String, f64>,
    /// Messages that consumers took.
    pub deliveries: f64,
    /// The same by queue.
    pub deliveries_by_queue: BTreeMap<String, f64>,
    /// Rows that were written (PostgreSQL: inserted, updated or deleted; embedded: rows more than before).
    pub rows: Option<f64>,
    /// The same by table.
    pub rows_by_table: BTreeMap<String, f64>,
    /// Rows of outboxes that were inserted: each is published as one message or several.
    pub outbox_rows: Option<f64>,
    /// Write-ahead log, in bytes (PostgreSQL).
    pub wal_bytes: Option<f64>,
    /// Transactions (PostgreSQL).
    pub commits: Option<f64>,
}

impl Costs {
    /// What was spent between two moments, over so many orders.
    pub fn between(before: (Readings, Ledger), after: (Readings, Ledger), orders: usize) -> Self {
        let each = |total: f64| total / orders.max(1) as f64;
        let mut costs = Self::default();
        for (name, usage) in after.0.processes {
            let earlier = before.0.processes.get(&name).copied().unwrap_or_default();
            let cpu: Duration = usage.cpu.saturating_sub(earlier.cpu);
            costs.cpu_us.insert(name.clone(), each(cpu.as_secs_f64() * 1e6));
            if let (Some(now), Some(then)) = (usage.written_bytes, earlier.written_bytes) {
                costs.disk_bytes.insert(name, each(now.saturating_sub(then) as f64));
            }
        }
        costs.disk_bytes.remove(GENERATOR);
        for (queue, count) in after.0.deliveries {
            let earlier = before.0.deliveries.get(&queue).copied().unwrap_or_default();
            let count = count.saturating_sub(earlier);
            if count > 0 {
                costs.deliveries += each(count as f64);
                costs.deliveries_by_queue.insert(queue, each(count as f64));
            }
        }
        match after.1.since(before.1) {
            Ledger::Postgres(written) => {
                costs.wal_bytes = Some(each(written.wal_bytes as f64));
                costs.commits = Some(each(written.commits as f64));
                costs.rows = Some(each(written.rows() as f64));
                let outboxes = written.tables.iter().filter(|(name, _)| name.ends_with(".outbox"));
                let inserted: i64 = outboxes.map(|(_, rows)| rows.inserted).sum();
                costs.outbox_rows = Some(each(inserted as f64));
                let by_table = written.tables.into_iter();
                costs.rows_by_table = by_table
                    .map(|(name, rows): (_, Rows)| (name, each(rows.total() as f64)))
                    .collect();
            }
            Ledger::Sqlite(kept) => {
                costs.rows = Some(each(kept.values().sum::<i64>() as f64));
                costs.rows_by_table =
                    kept.into_iter().map(|(name, rows)| (name, each(rows as f64))).collect();
            }
            Ledger::Unknown => {}
        }
        costs
    }
}
