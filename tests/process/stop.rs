//! Asked to end: everything in flight is finished, and nothing accepted is lost.

use super::reconciliation;
use super::server::Server;
use super::setup::Setup;
use super::shop::{Shop, order};
use futures::StreamExt;
use reqwest::{Method, StatusCode};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The deadline of an end, and a little for a busy machine.
const END_LIMIT: Duration = Duration::from_secs(20);
/// The longest that orders may take to come to rest.
const REST_LIMIT: Duration = Duration::from_secs(30);

/// Buys until nobody sells any more; the orders that were accepted.
async fn buyer(shop: Shop, name: String) -> Vec<String> {
    let mut accepted = Vec::new();
    for number in 0_u64.. {
        let body = order(&format!("{name}-{number}"), &[("A", 1), ("B", 2)], "credit_card");
        let request = shop.request(Method::POST, "/orders").json(&body);
        let Ok(response) = request.send().await else { break };
        match response.status() {
            StatusCode::CREATED => {
                let Ok(body) = response.json::<serde_json::Value>().await else { break };
                accepted.push(body["order_id"].as_str().unwrap().to_owned());
            }
            StatusCode::SERVICE_UNAVAILABLE => break,
            status => panic!("a good order was answered {status}"),
        }
    }
    accepted
}

/// Stops the server by a signal while 20 customers buy, and looks what has become of their orders.
async fn ends_in_good_order(setup: Setup, signal: &str) {
    let mut server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1_000_000).await;
    shop.stock("B", 1_000_000).await;
    let mut buyers = JoinSet::new();
    for number in 0..20 {
        buyers.spawn(buyer(shop.clone(), format!("buyer-{number}")));
    }
    tokio::time::sleep(Duration::from_millis(700) * setup.slowness()).await;
    server.signal(signal);
    let status = server.ended(END_LIMIT).await;
    assert_eq!(status.code(), Some(0), "SIG{signal} is a wish to end in good order");
    let accepted: BTreeSet<String> = buyers.join_all().await.into_iter().flatten().collect();
    assert!(accepted.len() > 20, "only {} orders were accepted", accepted.len());

    let server = setup.start();
    let shop = server.shop();
    let orders = shop.all_at_rest(REST_LIMIT).await;
    let known: BTreeSet<_> = orders.iter().map(|order| order.order_id.to_string()).collect();
    assert!(accepted.is_subset(&known), "accepted orders are lost");
    assert!(orders.iter().all(|order| order.status == "CONFIRMED"), "an order has failed");
    let initial = BTreeMap::from(["A", "B"].map(|product| (product.to_owned(), 1_000_000)));
    reconciliation::balance(&shop, &initial, &orders).await;
    server.terminate().await;
    setup.databases().all_messages_were_consumed().await;
}

async fn sigterm_under_load_loses_nothing(setup: Setup) {
    ends_in_good_order(setup, "TERM").await;
}

async fn sigint_under_load_loses_nothing(setup: Setup) {
    ends_in_good_order(setup, "INT").await;
}

async fn an_open_stream_ends_with_the_server(setup: Setup) {
    let mut server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1).await;
    let id = shop.place(&order("follower", &[("A", 1)], "credit_card")).await;
    let path = format!("/orders/{id}/events");
    let response = shop.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut events = response.bytes_stream();
    let first = events.next().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("PENDING"), "{first:?}");

    server.signal("TERM");
    let drained = async { while let Some(Ok(_)) = events.next().await {} };
    tokio::time::timeout(Duration::from_secs(5), drained).await.expect("the stream ends");
    assert_eq!(server.ended(Duration::from_secs(5)).await.code(), Some(0));
}

/// A request of which only the beginning has come: an end in good order waits for the rest.
fn half_a_request(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let head = "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

async fn a_second_signal_ends_it_at_once(setup: Setup) {
    let mut server = setup.start();
    let shop = server.shop();
    let waiting = half_a_request(&server);
    let answer = shop.ask(Method::GET, "/health", None, None).await.unwrap();
    assert_eq!(answer.0, StatusCode::OK);
    server.signal("TERM");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(server.runs(), "it does not wait for a request that is under way");
    let address = server.url.trim_start_matches("http://");
    assert!(TcpStream::connect(address).is_err(), "who comes too late is left waiting");
    let again = Instant::now();
    server.signal("TERM");
    let status = server.ended(Duration::from_secs(5)).await;
    assert_ne!(status.code(), Some(0), "an end that was cut short is not in good order");
    assert!(again.elapsed() < Duration::from_secs(2), "it took {:?}", again.elapsed());
    drop(waiting);
}

async fn a_clean_stop_logs_no_warning(setup: Setup) {
    let mut server = setup.with("ORDERMILL_LOG", "info").start();
    let shop = server.shop();
    shop.stock("A", 1).await;
    let id = shop.place(&order("anna", &[("A", 1)], "credit_card")).await;
    shop.until(&id, REST_LIMIT, |order| order.status == "CONFIRMED").await;
    server.signal("TERM");
    assert_eq!(server.ended(END_LIMIT).await.code(), Some(0));
    let log = server.log();
    // What a busy machine was late with before is another matter.
    let (_, end) = log.split_once("stopping: ").expect("it says that it stops");
    assert!(end.contains("stopped"), "{log}");
    for level in [" WARN ", "ERROR "] {
        assert!(!end.contains(level), "{log}");
    }
}

everywhere! {
    a_clean_stop_logs_no_warning
    sigterm_under_load_loses_nothing sigint_under_load_loses_nothing
    an_open_stream_ends_with_the_server a_second_signal_ends_it_at_once
}
