//! /health, /ready, /metrics.

use super::support::{Shop, order, send};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_running_shop_is_healthy_and_ready() {
    let shop = Shop::open().await;
    assert_eq!(shop.get("/health").await.expect(200).json(), json!({ "status": "ok" }));
    let ready = shop.get("/ready").await.expect(200).json();
    assert_eq!((&ready["ready"], &ready["missing"]), (&json!(true), &json!([])));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_the_seeds_names_and_few_series() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    shop.get("/orders/x").await.problem(400);
    for path in ["/nothing", "/orders/a/b/c", "/%3Cscript%3E"] {
        shop.get(path).await.problem(404);
    }
    send(shop.request(Method::DELETE, "/orders")).await.problem(405);
    send(shop.request(Method::from_bytes(b"BREW").unwrap(), "/orders")).await.problem(405);
    let metrics = shop.get("/metrics").await.expect(200);
    assert!(metrics.header("content-type").starts_with("text/plain"));
    for series in [
        r#"http_requests_total{service="ordermill",method="POST",path="/orders",status="201"} "#,
        r#"http_requests_total{service="ordermill",method="GET",path="/orders/{order_id}",status="200"}"#,
        r#"http_requests_total{service="ordermill",method="GET",path="/orders/{order_id}",status="400"}"#,
        r#"http_requests_total{service="ordermill",method="GET",path="unmatched",status="404"}"#,
        r#"http_requests_total{service="ordermill",method="other",path="/orders",status="405"}"#,
        r#"http_request_duration_seconds_bucket{service="ordermill",method="POST",path="/orders",le="#,
        r#"saga_total{status="COMPLETED"}"#,
        r#"saga_duration_seconds_bucket{status="COMPLETED",le="#,
        "ordermill_log_lines_dropped_total ",
    ] {
        assert!(metrics.text.contains(series), "{series} is not in\n{}", metrics.text);
    }
    for leak in [placed.as_str(), "param0", "BREW", "3Cscript", "nothing"] {
        assert!(!metrics.text.contains(leak), "{leak}");
    }
    shop.close().await;
}

/// The rows of the tables of docs/METRICS.md: each family with its type.
fn described() -> BTreeMap<String, String> {
    let mut families = BTreeMap::new();
    for row in include_str!("../../docs/METRICS.md").lines() {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, names, kind, ..] = cells.as_slice() else { continue };
        for name in names.split(", ").filter_map(|name| name.strip_prefix('`')?.strip_suffix('`')) {
            let kind = kind.split(',').next().unwrap_or_default();
            // A row of several names has no type: a counter is known by its end.
            let kind = match (kind, name.ends_with("_total")) {
                ("", true) => "counter",
                ("", false) => "gauge",
                (kind, _) => kind,
            };
            families.insert(name.to_owned(), kind.to_owned());
        }
    }
    families
}

/// Families that have no series before something happens, and some that are of servers or of tracing only.
const LATER: [&str; 9] = [
    "ordermill_database_clock_skew_seconds",
    "ordermill_dead_letters_oldest_seconds",
    "ordermill_dead_letters_stored_total",
    "ordermill_disagreements",
    "ordermill_notification_send_seconds",
    "ordermill_notifications_sent_total",
    "ordermill_payment_notifications_total",
    "ordermill_saga_commands_resent_total",
    "ordermill_trace_spans_total",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_described_and_every_described_one_is_there() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    let described = described();
    assert!(described.len() > 70, "{} families are described", described.len());
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let page = shop.get("/metrics").await.expect(200);
        assert_eq!(page.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        let mut there = BTreeMap::new();
        for line in page.text.lines() {
            if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|l| l.split_once(' '))
            {
                there.insert(name.to_owned(), kind.to_owned());
            }
        }
        for (name, kind) in &there {
            assert_eq!(described.get(name), Some(kind), "{name}: docs/METRICS.md");
            assert!(page.text.contains(&format!("# HELP {name} ")), "{name} has no help");
        }
        let mut missing: Vec<_> =
            described.keys().filter(|name| !there.contains_key(*name)).collect();
        missing.retain(|name| !LATER.contains(&name.as_str()));
        // A saga that is under way has an age; at rest there is none.
        missing.retain(|name| *name != "ordermill_saga_oldest_seconds");
        if missing.is_empty() {
            break;
        }
        assert!(Instant::now() < until, "not on the page: {missing:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let asked =
        shop.request(Method::GET, "/metrics").header("accept", "application/openmetrics-text");
    let page = send(asked).await.expect(200);
    assert!(page.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    assert!(page.text.ends_with("# EOF\n"));
    shop.close().await;
}
