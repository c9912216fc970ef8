//! Server-sent events of an order.

use super::support::{Shop, order, send};
use ordermill_domain::messages::Flow;
use reqwest::{Method, Response};
use std::time::{Duration, Instant};

/// What a stream has brought: (id, event) each.
type Seen = Vec<(u32, String)>;

async fn follow(shop: &Shop, order: &str, last: Option<&str>) -> Response {
    let mut request = shop.request(Method::GET, &format!("/orders/{order}/events"));
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response
}

/// Reads a stream to its end, which must come.
async fn to_the_end(response: Response) -> Seen {
    let text = tokio::time::timeout(Duration::from_secs(30), response.text()).await;
    let text = text.expect("the stream ends").unwrap();
    let mut seen = Vec::new();
    for block in text.split("\n\n").filter(|block| block.contains("data:")) {
        let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let data: serde_json::Value = serde_json::from_str(line("data: ")).unwrap();
        let id: u32 = line("id: ").parse().unwrap();
        let event = line("event: ").to_owned();
        assert_eq!(data["sequence"], id);
        assert!(event == "step" || data["status"] == event.as_str(), "{event}: {data}");
        seen.push((id, event));
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_all_in_order_and_ends_with_the_order() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    let from_the_start = tokio::spawn(to_the_end(follow(&shop, &placed, None).await));
    shop.until(&placed, "CONFIRMED").await;
    let from_two = tokio::spawn(to_the_end(follow(&shop, &placed, Some("1")).await));
    shop.ask(&format!("/orders/{placed}/cancel")).await.expect(202);
    shop.until(&placed, "CANCELLED").await;
    let seen = from_the_start.await.unwrap();
    let ids: Vec<_> = seen.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, (0..seen.len() as u32).collect::<Vec<_>>());
    assert_eq!(seen.first().unwrap().1, "PENDING");
    assert_eq!(seen.last().unwrap().1, "CANCELLED");
    assert_eq!(from_two.await.unwrap(), seen[2..]);
    // The same again, when all is over.
    assert_eq!(to_the_end(follow(&shop, &placed, None).await).await, seen);
    let path = format!("/orders/{placed}/events");
    for last in [ids.len() as u32 - 1, 1_000, u32::MAX] {
        let request = shop.request(Method::GET, &path).header("Last-Event-ID", last);
        assert_eq!(send(request).await.expect(204).text, "");
    }
    for last in ["abc", "-1", "4294967296"] {
        let request = shop.request(Method::GET, &path).header("Last-Event-ID", last);
        send(request).await.fault(400, "Last-Event-ID");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_last_event_id_gets_later_events_and_the_end() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    let beyond = ["900", "4294967295"];
    let mut streams = Vec::new();
    for last in beyond {
        streams.push(tokio::spawn(to_the_end(follow(&shop, &placed, Some(last)).await)));
    }
    let history = shop.get(&format!("/orders/{placed}")).await.json()["history"].clone();
    let told = history.as_array().unwrap().len() as u32;
    shop.ask(&format!("/orders/{placed}/cancel")).await.expect(202);
    for stream in streams {
        let seen = stream.await.unwrap();
        assert_eq!(seen.first().unwrap().0, told, "{seen:?}");
        assert_eq!(seen.last().unwrap().1, "CANCELLED");
    }
    for last in beyond {
        let path = format!("/orders/{placed}/events");
        let request = shop.request(Method::GET, &path).header("Last-Event-ID", last);
        send(request).await.expect(204);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_the_process() {
    let mut shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    let stream = tokio::spawn(to_the_end(follow(&shop, &placed, None).await));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let stopping = tokio::time::timeout(Duration::from_secs(10), shop.stop_app()).await;
    assert!(stopping.expect("a stream does not keep the process"));
    assert_eq!(stream.await.unwrap().last().unwrap().1, "CONFIRMED");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_and_free_their_place() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    let mut open = Vec::new();
    for _ in 0..1_000 {
        open.push(follow(&shop, &placed, None).await);
    }
    let path = format!("/orders/{placed}/events");
    let full = shop.get(&path).await;
    assert_eq!(full.header("retry-after"), "5");
    full.problem(503);
    drop(open);
    let until = Instant::now() + Duration::from_secs(30);
    while shop.request(Method::GET, &path).send().await.unwrap().status() != 200 {
        assert!(Instant::now() < until, "nobody is there any more");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_of_a_status_is_called_once_wherever_it_begins() {
    for flow in [Flow::Orchestrated, Flow::Choreographed] {
        let shop = Shop::with(|config| config.order.flow = flow).await;
        shop.stock("chair", 5).await;
        let placed = shop.place(&order("chair", 1)).await;
        shop.until(&placed, "CONFIRMED").await;
        shop.ask(&format!("/orders/{placed}/dispatch")).await.expect(202);
        shop.until(&placed, "SHIPPED").await;
        shop.ask(&format!("/orders/{placed}/delivery")).await.expect(202);
        shop.until(&placed, "COMPLETED").await;
        let seen = to_the_end(follow(&shop, &placed, None).await).await;
        let history = shop.get(&format!("/orders/{placed}")).await.json()["history"].clone();
        let statuses: Vec<&str> = history.as_array().unwrap().iter().map(status).collect();
        // While it is dispatched the order stays CONFIRMED, and its saga moves.
        assert!(statuses.iter().filter(|status| **status == "CONFIRMED").count() > 1, "{history}");
        let mut expected: Vec<(u32, String)> = Vec::new();
        for (sequence, status) in statuses.iter().enumerate() {
            let is_new = sequence == 0 || statuses[sequence - 1] != *status;
            let name = if is_new { *status } else { "step" };
            expected.push((sequence as u32, name.to_owned()));
        }
        assert_eq!(seen, expected, "{flow:?}");
        for name in ["PENDING", "CONFIRMED", "SHIPPED", "COMPLETED"] {
            assert_eq!(seen.iter().filter(|(_, event)| event == name).count(), 1, "{name}");
        }
        for last in 0..seen.len() - 1 {
            let from = follow(&shop, &placed, Some(&last.to_string())).await;
            assert_eq!(to_the_end(from).await, expected[last + 1..], "{flow:?} after {last}");
        }
        shop.close().await;
    }
}

fn status(row: &serde_json::Value) -> &str {
    row["status"].as_str().unwrap()
}
