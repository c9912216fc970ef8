//! What a run is told as: a table for people, JSON for machines.

use super::latency::Percentiles;
use super::place::Place;
use super::process::Memory;
use super::readings::Costs;
use anyhow::Context;
use ordermill::config::Config;
use ordermill::table::{Paint, Table, Tone};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// What is less often than once in twenty orders is only told in JSON.
const SHOWN: f64 = 0.05;

/// Where a run took place.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    version: &'static str,
    cores: usize,
    place: String,
    /// `on`, `off`, `unknown`; none without a broker.
    management_plugin: Option<&'static str>,
    flow: &'static str,
}

impl Setting {
    /// What is known of a place.
    pub fn of(place: &Place, config: &Config) -> Self {
        let management = match place.management {
            Some(true) => "on",
            Some(false) => "off",
            None => "unknown",
        };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            place: place.told.clone(),
            management_plugin: place.has_broker.then_some(management),
            flow: config.order.flow.as_str(),
        }
    }

    /// Says where it takes place, before it does.
    pub fn announce(&self) {
        let plugin = self.management_plugin.map_or_else(String::new, |plugin| {
            format!(" (the broker's management plugin: {plugin})")
        });
        ordermill::say!("{}{plugin}, {}, {} cores", self.place, self.flow, self.cores);
        if cfg!(debug_assertions) {
            ordermill::say!("  debug build: the results are not meaningful");
        }
    }
}

/// Seconds, as figures are written.
pub fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

/// What came of `ordermill-lab bench`.
#[derive(Debug, Serialize)]
pub struct OrdersReport {
    /// Where.
    pub setting: Setting,
    /// Connections.
    pub clients: usize,
    /// Arrivals a second, in an open loop.
    pub rate: Option<f64>,
    /// Products.
    pub products: usize,
    /// Lines an order.
    pub lines: usize,
    /// Orders that were accepted.
    pub accepted: usize,
    /// From the first request to the last answer.
    pub accepted_per_s: f64,
    /// From the first acceptance to the last confirmation.
    pub settled_per_s: f64,
    /// Confirmations in each second.
    pub settled_each_second: Vec<u64>,
    /// Requests that were turned away: 503.
    pub turned_away: u64,
    /// Answers of each status.
    pub answers: BTreeMap<u16, u64>,
    /// Requests without an answer.
    pub unanswered: u64,
    /// POST.
    pub post: Percentiles,
    /// POST → CONFIRMED.
    pub post_to_confirmed: Percentiles,
    /// From the first request to the last answer.
    pub load_s: f64,
    /// From the first request until audit and notifications have caught up, too.
    pub rest_s: f64,
    /// What one order has cost.
    pub costs: Costs,
    /// The server's.
    pub memory: Option<Memory>,
    /// Orders of which what the services say was compared.
    pub compared: u64,
    /// What does not balance.
    pub wrong: Vec<String>,
}

impl OrdersReport {
    /// Prints it.
    pub fn print(&self) {
        let paint = Paint::for_stdout();
        let loop_ = match self.rate {
            Some(rate) => format!("open loop, {rate}/s over {} connections", self.clients),
            None => format!("closed loop, {} clients", self.clients),
        };
        let heading =
            format!("{loop_}, {} products, {} lines per order", self.products, self.lines);
        ordermill::say!("\n{}", paint.tone(Tone::Heading, &heading));
        ordermill::say!(
            "  accepted {:>9.0}/s  {} orders in {:.1} s",
            self.accepted_per_s,
            self.accepted,
            self.load_s
        );
        ordermill::say!(
            "  settled  {:>9.0}/s  all orders final after {:.1} s",
            self.settled_per_s,
            self.rest_s
        );
        ordermill::say!("  rejected (503) {}, no response {}", self.turned_away, self.unanswered);
        ordermill::say!(
            "\n{}",
            percentiles(
                &[("POST", &self.post), ("POST → CONFIRMED", &self.post_to_confirmed)],
                paint
            )
        );
        ordermill::say!("{}", costs(&self.costs, "order", paint));
        memory(self.memory);
        let checked = format!("each of {} orders; {} reconciled", self.accepted, self.compared);
        verification(&checked, &self.wrong, paint);
    }

    /// Writes it as JSON, where that is asked for.
    pub fn write(&self, file: Option<&Path>) -> anyhow::Result<()> {
        write(self, file)
    }
}

/// A report as JSON.
pub fn write(report: &impl Serialize, file: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = file else { return Ok(()) };
    let text = serde_json::to_string_pretty(report)?;
    std::fs::write(file, text + "\n").with_context(|| file.display().to_string())
}

/// A server's memory, where it is known.
pub fn memory(memory: Option<Memory>) {
    let Some(memory) = memory else { return };
    let [own, now, peak] =
        [memory.anonymous_peak_bytes, memory.anonymous_bytes, memory.peak_bytes].map(|b| b >> 20);
    ordermill::say!(
        "  server memory: peak {own} MiB private, {now} at the end; {peak} with mapped files\n"
    );
}

/// Latencies in rows.
pub fn percentiles(rows: &[(&str, &Percentiles)], paint: Paint) -> String {
    let mut table = Table::new(&["latency in ms", ">p50", ">p95", ">p99", ">p99.9", ">max"]);
    for (name, told) in rows {
        let cells = [told.p50_ms, told.p95_ms, told.p99_ms, told.p999_ms, told.max_ms];
        let cells = cells.map(|ms| format!("{ms:.1}"));
        table.plain([(*name).to_owned()].into_iter().chain(cells).collect());
    }
    table.render(paint)
}

/// What one of something has cost.
pub fn costs(costs: &Costs, what: &str, paint: Paint) -> String {
    let mut table = Table::new(&["", ">each", ""]);
    let mut row = |name: String, value: f64, unit: &str| {
        let digits = if value < 100.0 { 1 } else { 0 };
        table.plain(vec![name, format!("{value:.digits$}"), unit.to_owned()]);
    };
    for (name, micros) in &costs.cpu_us {
        row(format!("CPU: {name}"), *micros, "µs");
    }
    for (name, bytes) in &costs.disk_bytes {
        row(format!("to disk: {name}"), *bytes, "bytes");
    }
    row("deliveries".to_owned(), costs.deliveries, "");
    let counts = |value: &f64| *value >= SHOWN;
    for (name, count) in costs.deliveries_by_queue.iter().filter(|(_, count)| counts(count)) {
        row(format!("  {name}"), *count, "");
    }
    let rest = [
        ("write-ahead log", costs.wal_bytes, "bytes"),
        ("transactions", costs.commits, ""),
        ("outbox rows", costs.outbox_rows, ""),
        ("database rows", costs.rows, ""),
    ];
    for (name, value, unit) in rest {
        if let Some(value) = value {
            row(name.to_owned(), value, unit);
        }
    }
    for (name, rows) in costs.rows_by_table.iter().filter(|(_, rows)| counts(rows)) {
        row(format!("  {name}"), *rows, "");
    }
    format!("{}{}", paint.tone(Tone::Heading, &format!("cost per {what}\n")), table.render(paint))
}

/// Whether the records reconcile, and what does not.
pub fn verification(checked: &str, wrong: &[String], paint: Paint) {
    ordermill::say!("{} records: {checked}", paint.mark(wrong.is_empty()));
    for line in wrong {
        ordermill::say!("  {}", paint.tone(Tone::Bad, line));
    }
}
