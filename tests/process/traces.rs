//! Traces as a collector gets them: one order is one trace without an orphan, in one process or many.

mod receiver;

use super::processes::Processes;
use super::setup::Setup;
use super::shop::{Shop, order};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use ordermill_client::Method;
use receiver::{Receiver, SpanKey, text};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The longest that orders may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);
/// Orders of a test: enough at once that there are bundles.
const ORDERS: usize = 40;
/// A client's span.
const CLIENT: u64 = 0x00f0_67aa_0ba9_02b7;

fn traced(setup: Setup, receiver: &Receiver) -> Setup {
    setup
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url)
        .with("OTEL_BSP_SCHEDULE_DELAY", "100")
        .with("OTEL_BSP_MAX_QUEUE_SIZE", "100000")
}

fn orders(customer: &str, method: &str) -> Vec<serde_json::Value> {
    let order = |number| order(&format!("{customer}-{number}"), &[("A", 1)], method);
    (0..ORDERS).map(order).collect()
}

/// Places an order as a client that has a trace.
async fn place_in(shop: &Shop, trace_id: u128, version: &str, flags: &str) -> String {
    let traceparent = format!("{version}-{trace_id:032x}-{CLIENT:016x}-{flags}");
    let body = order("client", &[("A", 1)], "credit_card").to_string();
    let request = shop.request(Method::POST, "/orders").header("content-type", "application/json");
    let answer = request.header("traceparent", traceparent).body(body).send().await.unwrap();
    let body = answer.text().await.unwrap();
    let placed: serde_json::Value = serde_json::from_str(&body).unwrap();
    placed["order_id"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

/// The spans of a trace.
fn of_trace(spans: &BTreeMap<SpanKey, Span>, trace_id: u128) -> Vec<&Span> {
    let bytes = trace_id.to_be_bytes();
    spans.iter().filter(|((trace, _), _)| trace[..] == bytes).map(|(_, span)| span).collect()
}

/// The parents that are named and not there.
fn missing(trace: &[&Span]) -> BTreeSet<Vec<u8>> {
    let there: BTreeSet<_> = trace.iter().map(|span| span.span_id.clone()).collect();
    let parents = trace.iter().map(|span| span.parent_span_id.clone());
    parents.filter(|parent| !parent.is_empty() && !there.contains(parent)).collect()
}

/// An order's trace is one tree, with the request on top, and each service has its part.
fn is_whole(trace: &[&Span], client: Option<u64>, services: &[&str]) {
    let names: Vec<_> = trace.iter().map(|span| &span.name).collect();
    let client: Vec<u8> = client.map(|id| id.to_be_bytes().to_vec()).unwrap_or_default();
    let tops: Vec<_> = trace.iter().filter(|span| span.parent_span_id == client).collect();
    assert_eq!(tops.len(), 1, "{names:?}");
    assert_eq!((tops[0].name.as_str(), tops[0].kind()), ("POST /orders", SpanKind::Server));
    let orphans = missing(trace);
    assert!(orphans.iter().all(|parent| *parent == client), "{orphans:?} {names:?}");
    let root = trace.iter().find(|span| span.name == "order").unwrap();
    assert_eq!(root.parent_span_id, tops[0].span_id);
    for kind in [SpanKind::Producer, SpanKind::Consumer, SpanKind::Client] {
        assert!(trace.iter().any(|span| span.kind() == kind), "no {kind:?}: {names:?}");
    }
    let consumers = trace.iter().filter(|span| span.kind() == SpanKind::Consumer);
    let handled: BTreeSet<_> =
        consumers.filter_map(|span| text(span, "ordermill.service")).collect();
    for service in services {
        assert!(handled.contains(*service), "{service} handled nothing: {names:?}");
    }
    for span in trace {
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano, "{}", span.name);
    }
}

/// Batches and bundles are traces of their own, and everything that is linked is there.
fn are_linked(spans: &BTreeMap<SpanKey, Span>) {
    for span in spans.values() {
        for link in &span.links {
            let key = (link.trace_id.clone(), link.span_id.clone());
            assert!(spans.contains_key(&key), "a link of {} leads nowhere", span.name);
        }
    }
    for (what, size) in
        [("commit ", "db.operation.batch.size"), ("publish ", "messaging.batch.message_count")]
    {
        let named = spans.values().filter(|span| span.name.starts_with(what));
        let groups: Vec<_> = named.filter(|span| text(span, size).is_some()).collect();
        assert!(!groups.is_empty(), "no group of `{what}`");
        for group in groups {
            assert!(group.parent_span_id.is_empty() && !group.links.is_empty(), "{}", group.name);
        }
    }
}

/// Metrics lead to a sampled trace, for whoever asks for OpenMetrics.
async fn are_exemplars(shop: &Shop, trace_id: u128) {
    let asked =
        shop.request(Method::GET, "/metrics").header("accept", "application/openmetrics-text");
    let page = asked.send().await.unwrap().text().await.unwrap();
    let of_orders = |line: &&str| line.starts_with("ordermill_order_answered_seconds_bucket");
    let exemplar = |line: &str| line.split_once("# {trace_id=\"").map(|(_, id)| id.to_owned());
    let ids: Vec<_> = page.lines().filter(of_orders).filter_map(exemplar).collect();
    assert!(!ids.is_empty(), "an order's trace is an exemplar, such as {trace_id:032x}: {page}");
}

/// Every kind of order, in traces of their own and in clients'.
async fn every_order_is_one_trace(receiver: &Receiver, shop: &Shop, end: impl AsyncFnOnce()) {
    shop.stock("A", 10_000).await;
    let own = shop.place_all(&orders("own", "credit_card"), ORDERS).await;
    let declined = shop.place_all(&orders("declined", "test_declined"), 5).await;
    let (sampled, unsampled, later) = (0x5a3b, 0xa0ff, 0x1a7e);
    place_in(shop, sampled, "00", "01").await;
    place_in(shop, unsampled, "00", "00").await;
    place_in(shop, later, "01", "01-and-more").await;
    shop.all_at_rest(PATIENCE).await;
    are_exemplars(shop, sampled).await;
    end().await;
    let spans = receiver.spans();
    let all = ["order", "inventory", "payment", "shipping", "notification", "audit"];
    for id in &own {
        is_whole(&of_trace(&spans, Uuid::parse_str(id).unwrap().as_u128()), None, &all);
    }
    for id in &declined {
        let trace = of_trace(&spans, Uuid::parse_str(id).unwrap().as_u128());
        is_whole(&trace, None, &["order", "payment", "notification", "audit"]);
    }
    for trace_id in [sampled, later] {
        is_whole(&of_trace(&spans, trace_id), Some(CLIENT), &all);
    }
    assert_eq!(of_trace(&spans, unsampled), Vec::<&Span>::new());
    are_linked(&spans);
}

async fn in_one_process(setup: Setup, flow: &str) {
    let receiver = Receiver::start();
    let setup = traced(setup, &receiver).with("ORDERMILL_FLOW", flow);
    let server = setup.start();
    let shop = server.shop();
    let end = async || {
        setup.databases().all_messages_were_consumed().await;
        server.terminate().await;
    };
    every_order_is_one_trace(&receiver, &shop, end).await;
}

async fn orchestrated(setup: Setup) {
    in_one_process(setup, "orchestrated").await;
}

async fn choreographed(setup: Setup) {
    in_one_process(setup, "choreographed").await;
}

async fn in_many_processes(setup: Setup, flow: &str) {
    let receiver = Receiver::start();
    let setup = traced(setup, &receiver).with("ORDERMILL_FLOW", flow);
    let crew = Processes::apart(&setup);
    let shop = crew.departments();
    let end = async || {
        setup.databases().all_messages_were_consumed().await;
        crew.terminate().await;
    };
    every_order_is_one_trace(&receiver, &shop, end).await;
}

async fn orchestrated_apart(setup: Setup) {
    in_many_processes(setup, "orchestrated").await;
}

async fn choreographed_apart(setup: Setup) {
    in_many_processes(setup, "choreographed").await;
}

/// The power goes while orders are under way: each is still one trace, and later ones are whole.
async fn a_killed_process_loses_only_its_own_spans(setup: Setup) {
    let receiver = Receiver::start();
    let setup = traced(setup, &receiver).with("ORDERMILL_STEP_TIMEOUT", "2s");
    let server = setup.start();
    server.shop().stock("A", 10_000).await;
    let early = server.shop().place_all(&orders("early", "test_slow"), ORDERS).await;
    server.kill9();

    let server = setup.start();
    let shop = server.shop();
    let late = shop.place_all(&orders("late", "credit_card"), ORDERS).await;
    shop.all_at_rest(PATIENCE).await;
    setup.databases().all_messages_were_consumed().await;
    server.terminate().await;
    let spans = receiver.spans();
    for id in &late {
        let trace = of_trace(&spans, Uuid::parse_str(id).unwrap().as_u128());
        is_whole(&trace, None, &["order", "inventory", "payment", "shipping"]);
    }
    for id in &early {
        let trace_id = Uuid::parse_str(id).unwrap().as_u128();
        let trace = of_trace(&spans, trace_id);
        assert_eq!(trace.iter().filter(|span| span.name == "order").count(), 1, "{id}");
        // The first life made these parents, the request and publishes, and had no time to export them.
        let lost = missing(&trace);
        for orphan in trace.iter().filter(|span| lost.contains(&span.parent_span_id)) {
            let name = &orphan.name;
            assert!(name == "order" || name.starts_with("process "), "{id}: {name} is an orphan");
        }
    }
    for span in spans.values() {
        let Some(order) = text(span, "ordermill.order_id") else { continue };
        let order = Uuid::parse_str(&order).unwrap();
        assert_eq!(span.trace_id, order.as_u128().to_be_bytes(), "{} of another trace", span.name);
    }
}

/// Nobody takes the spans: orders go on as ever, and the log says once that they are dropped.
async fn a_dead_endpoint_slows_nobody(setup: Setup) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let setup = setup
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &dead)
        .with("OTEL_BSP_SCHEDULE_DELAY", "100")
        .with("OTEL_BSP_MAX_QUEUE_SIZE", "64");
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 10_000).await;
    let begun = Instant::now();
    shop.place_all(&orders("any", "credit_card"), ORDERS).await;
    let all = shop.all_at_rest(PATIENCE).await;
    assert!(all.iter().all(|order| order.status == "CONFIRMED"));
    assert!(begun.elapsed() < PATIENCE / 2, "{:?}", begun.elapsed());
    let said = || server.log().matches("spans cannot be exported").count();
    // An export is tried for a while before it counts as failed.
    while said() == 0 && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(said(), 1, "{}", server.log());
    server.terminate().await;
}

/// A wrong setting is explained, not passed over.
#[test]
fn a_wrong_sampler_ends_the_start() {
    let setup = Setup::embedded()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .with("OTEL_TRACES_SAMPLER", "sometimes");
    let ended = setup.run(&["serve"]);
    assert_ne!(ended.code, Some(0));
    assert!(ended.stderr.contains("parentbased_traceidratio"), "{}", ended.stderr);
}

everywhere! {
    orchestrated
    choreographed
    a_killed_process_loses_only_its_own_spans
    a_dead_endpoint_slows_nobody;
    orchestrated_apart
    choreographed_apart
}
