//! `ordermill-lab bench hot-sku`: reservations a second of one product on PostgreSQL, by the inventory service's own
//! components and, in the same run and the same database, by the usual ways.
//!
//! ```text
//! service      client ─▶ consumer ─▶ sku/… ─▶ journal: many reservations in one transaction
//! FOR UPDATE   client ─▶ BEGIN, SELECT … FOR UPDATE, INSERT, UPDATE, COMMIT: one each
//! optimistic   client ─▶ SELECT version, BEGIN, UPDATE … WHERE version, INSERT, COMMIT: again until it fits
//! ```
//!
//! All three flush each commit to disk. The service does more than the others for each reservation: it also
//! writes the event that tells of it to its outbox, and takes it from there again.

mod seeds;
mod service;
mod tally;

use super::args::HotSkuArgs;
use super::{postgres, report};
use anyhow::{bail, ensure};
use ordermill::config::Secret;
use ordermill::demo::run_number;
use ordermill::table::{Paint, Table, Tone};
use ordermill::waiting;
use seeds::Seeds;
use serde::Serialize;
use service::Service;
use sqlx::AssertSqlSafe;
use std::time::Duration;

/// Units in stock: more than any run reserves.
const UNITS: i64 = 1_000_000_000;
/// Requests that the service's consumer takes at a time (its prefetch): so many are under way when orders
/// come faster than they are reserved.
const IN_HAND: usize = 2_000;
/// What runs that were broken off have left begins so.
const SCHEMA: &str = "ordermill_bench_";

/// What came of it.
#[derive(Debug, Serialize)]
struct Report {
    postgres: String,
    seconds: u64,
    rows: Vec<Row>,
    wrong: Vec<String>,
}

/// Reservations a second, by so many clients. None was not measured.
#[derive(Debug, Serialize)]
struct Row {
    clients: usize,
    service: f64,
    for_update: Option<f64>,
    optimistic: Option<f64>,
    /// Attempts of the optimistic way that found another version, of each reservation.
    optimistic_retries: Option<f64>,
    /// Reservations that the optimistic way has given up.
    optimistic_given_up: Option<u64>,
}

/// Measures, and prints what came of it. True when each way has reserved what it says.
pub async fn run(args: HotSkuArgs) -> anyhow::Result<bool> {
    let Some(url) = &args.database_url else {
        bail!(
            "hot-sku needs PostgreSQL: set DATABASE_URL, or start a server with `eval \
             \"$(./scripts/stack start postgres)\"`"
        );
    };
    let schema = format!("{SCHEMA}{:08x}", run_number());
    let server =
        waiting::report_waiting(|| "PostgreSQL to respond".to_owned(), described(url)).await?;
    ordermill::say!("{server}, fsync on, synchronous_commit on");
    let measured = measure(&args, url, &schema, server);
    let measured =
        waiting::report_waiting(|| "the measurements to finish".to_owned(), measured).await;
    let mut database = postgres::connect(url.expose()).await?;
    // The name is our own.
    let dropped = AssertSqlSafe(format!("DROP SCHEMA IF EXISTS \"{schema}\" CASCADE"));
    sqlx::raw_sql(dropped).execute(&mut database).await?;
    let report = measured?;
    report.print();
    report::write(&report, args.json.as_deref())?;
    Ok(report.wrong.is_empty())
}

async fn measure(
    args: &HotSkuArgs,
    url: &Secret,
    schema: &str,
    postgres: String,
) -> anyhow::Result<Report> {
    let time = Duration::from_secs(args.seconds);
    // A schema is named once in a process: what it costs is kept to its end.
    let service = Service::start(url.expose(), schema.to_owned().leak(), UNITS).await?;
    let seeds = Seeds::make(url.expose(), schema, UNITS).await?;
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    let mut reserved = 0;
    for clients in &args.clients {
        ordermill::note!("  {clients} clients");
        let by_service = service.reservations(*clients, time).await?;
        let for_update = seeds.for_update(*clients, time).await?;
        let optimistic = seeds.optimistic(*clients, time).await?;
        wrong.extend(seeds.check(for_update.reserved + optimistic.reserved).await?);
        reserved += by_service.reserved;
        let retries = optimistic.retries as f64 / optimistic.reserved.max(1) as f64;
        rows.push(Row {
            clients: *clients,
            service: by_service.per_s(),
            for_update: Some(for_update.per_s()),
            optimistic: Some(optimistic.per_s()),
            optimistic_retries: Some(retries),
            optimistic_given_up: Some(optimistic.given_up),
        });
    }
    ordermill::note!("  the service with {IN_HAND} concurrent requests");
    let full = service.reservations(IN_HAND, time).await?;
    reserved += full.reserved;
    rows.push(Row {
        clients: IN_HAND,
        service: full.per_s(),
        for_update: None,
        optimistic: None,
        optimistic_retries: None,
        optimistic_given_up: None,
    });
    wrong.extend(service.stop(UNITS, reserved).await?);
    Ok(Report { postgres, seconds: args.seconds, rows, wrong })
}

/// The server's version, if it keeps what it has committed.
async fn described(url: &Secret) -> anyhow::Result<String> {
    let mut database = postgres::connect(url.expose()).await?;
    for setting in ["fsync", "synchronous_commit"] {
        let value: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&mut database)
            .await?;
        ensure!(
            value == "on",
            "{setting} is {value}, so the results are not comparable; set it to on"
        );
    }
    let version: String = sqlx::query_scalar("SELECT current_setting('server_version')")
        .fetch_one(&mut database)
        .await?;
    Ok(format!("PostgreSQL {version}"))
}

impl Report {
    fn print(&self) {
        let paint = Paint::for_stdout();
        ordermill::say!(
            "\n{}",
            paint.tone(Tone::Heading, "reservations of one product per second")
        );
        let mut table = Table::new(&[
            ">clients",
            ">service",
            ">FOR UPDATE",
            ">ratio",
            ">optimistic",
            ">retries each",
            ">ratio",
        ]);
        for row in &self.rows {
            let figure = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.0}"));
            let tenths = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.1}"));
            let ratio =
                |other: Option<f64>| tenths(other.map(|other| row.service / other.max(1e-9)));
            table.plain(vec![
                row.clients.to_string(),
                figure(Some(row.service)),
                figure(row.for_update),
                ratio(row.for_update),
                figure(row.optimistic),
                tenths(row.optimistic_retries),
                ratio(row.optimistic),
            ]);
        }
        ordermill::say!("{}", table.render(paint));
        report::verification(
            "each variant has made every reservation exactly once",
            &self.wrong,
            paint,
        );
    }
}
