//! The tree of actors, one actor's page, what becomes of actors, and what an operator does about it.

use super::support::{Shop, order};
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn flat<'a>(actors: &'a Value, found: &mut Vec<&'a Value>) {
    for actor in actors.as_array().unwrap() {
        found.push(actor);
        flat(&actor["children"], found);
    }
}

/// All actors that are listed.
fn listed(view: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    flat(&view["actors"], &mut found);
    found
}

fn names(view: &Value) -> Vec<&str> {
    listed(view).into_iter().map(|actor| actor["name"].as_str().unwrap()).collect()
}

fn restarts(view: &Value, name: &str) -> Option<u64> {
    listed(view).into_iter().find(|actor| actor["name"] == name)?["restarts"].as_u64()
}

fn page(name: &str) -> String {
    format!("/admin/actors/{}", name.replace('/', "%2F"))
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_and_entities_are_restarted_by_name_and_work_on() {
    let shop = Shop::open().await;
    shop.stock("Стул/1", 50).await;
    let placed = shop.place(&order("Стул/1", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    for part in
        ["order/journal", "inventory.commands", "payment/relay", "order/sweeper", "http/metrics"]
    {
        shop.ask(&format!("{}/restart", page(part))).await.expect(202);
        shop.wait("/admin/actors", |view| restarts(view, part) == Some(1)).await;
        let placed = shop.place(&order("Стул/1", 1)).await;
        shop.until(&placed, "CONFIRMED").await;
    }
    let journal = shop.get(&page("order/journal")).await.expect(200).json();
    assert_eq!(journal["last_restarts"][0]["cause"], "restarted by an operator");
    assert_eq!((&journal["kind"], &journal["parent"]), (&"journal".into(), &"order".into()));
    let sku = "sku%2F%D0%A1%D1%82%D1%83%D0%BB%2F1";
    let restarted = shop.ask(&format!("/admin/actors/{sku}/restart")).await.expect(202);
    assert_eq!(restarted.json()["name"], "sku/Стул/1");
    let placed = shop.place(&order("Стул/1", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    for nobody in ["x", "sku%2Fnobody", "%00", &"x".repeat(5_000)] {
        for verb in ["restart", "release"] {
            shop.ask(&format!("/admin/actors/{nobody}/{verb}")).await.problem(404);
        }
        shop.get(&format!("/admin/actors/{nobody}")).await.problem(404);
    }
    shop.ask("/admin/actors/order%2Fjournal/release").await.problem(409);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_children_are_paged_and_the_tree_is_filtered() {
    let shop = Shop::open().await;
    for number in 0..5 {
        shop.stock(&format!("p{number}"), 5).await;
        let placed = shop.place(&order(&format!("p{number}"), 1)).await;
        shop.until(&placed, "CONFIRMED").await;
    }
    let get =
        async |query: &str| shop.get(&format!("/admin/actors?{query}")).await.expect(200).json();
    let first = get("under=skus&limit=2").await;
    assert_eq!(names(&first), ["skus", "sku/p0", "sku/p1"]);
    assert_eq!(first["actors"][0]["next_after"], "sku/p1");
    assert_eq!(first["actors"][0]["children_total"], 5);
    let next = get("under=skus&limit=2&after=sku%2Fp1").await;
    assert_eq!(names(&next), ["skus", "sku/p2", "sku/p3"]);
    let last = get("under=skus&limit=2&after=sku%2Fp3").await;
    assert_eq!(
        (names(&last), &last["actors"][0]["next_after"]),
        (vec!["skus", "sku/p4"], &Value::Null)
    );

    let top = get("depth=0").await;
    assert_eq!(names(&top), ["ordermill"]);
    assert_eq!(
        (&top["totals"]["by_kind"]["sku"], &top["totals"]["by_kind"]["journal"]),
        (&5.into(), &7.into())
    );
    assert_eq!(top["totals"]["by_status"]["running"], top["totals"]["actors"], "all is well");
    let journals = get("kind=journal&under=order").await;
    assert_eq!(names(&journals), ["order", "order/journal"]);
    assert_eq!(names(&get("status=quarantined").await), Vec::<&str>::new());
    assert_eq!(names(&get("status=running&kind=service&depth=1&under=ordermill").await).len(), 8);

    for (query, field) in [
        ("limit=0", "limit"),
        ("status=ill", "status"),
        ("under=nobody", "under"),
        ("depth=-1", "depth"),
        ("kind=sku&kind=saga", "kind"),
    ] {
        shop.get(&format!("/admin/actors?{query}")).await.fault(400, field);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_names_its_actor_and_the_actor_its_order() {
    let shop = Shop::with(|config| config.payment.latency = Duration::from_secs(20)).await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    let view = shop.get(&format!("/orders/{placed}")).await.expect(200).json();
    let actor = view["actor"].as_str().unwrap();
    assert_eq!(actor, format!("saga/{placed}"));
    let told = |view: &Value| view["last_messages"].as_array().is_some_and(|last| last.len() >= 2);
    let saga = shop.wait(&page(actor), told).await;
    assert_eq!(
        (&saga["kind"], &saga["parent"], &saga["status"]),
        (&"saga".into(), &"sagas".into(), &"running".into())
    );
    assert_eq!(
        (&saga["order_id"], &saga["order"]),
        (&placed.as_str().into(), &format!("/orders/{placed}").into())
    );
    assert_eq!(
        (&saga["last_messages"][0]["message"], &saga["last_messages"][0]["outcome"]),
        (&"place".into(), &"handled".into())
    );
    assert!(
        saga["quarantined_since"].is_null() && saga["last_restarts"].as_array().unwrap().is_empty()
    );
    let payment = shop.wait(&page(&format!("payment/{placed}")), |_| true).await;
    assert_eq!(payment["order_id"], placed.as_str());
    shop.ask(&format!("{}/restart", page(actor))).await.expect(202);
    shop.ask(&format!("/orders/{placed}/cancel")).await.expect(202);
    let mut shop = shop;
    shop.stop_app().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lifecycle_events_are_streamed_until_the_process_ends() {
    let mut shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let open = async |path: &str| {
        let response = shop.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response
    };
    let (notable, skus) =
        (open("/admin/actors/events").await, open("/admin/actors/events?kind=sku").await);
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    shop.ask(&format!("{}/restart", page("sku/chair"))).await.expect(202);
    shop.ask(&format!("{}/restart", page("order/relay"))).await.expect(202);
    shop.wait("/admin/actors", |view| restarts(view, "order/relay") == Some(1)).await;
    let again = shop.place(&order("chair", 1)).await;
    shop.until(&again, "CONFIRMED").await;
    shop.stop_app().await;

    let read = async |response: reqwest::Response| -> Vec<(String, String)> {
        let text = tokio::time::timeout(Duration::from_secs(5), response.text()).await;
        let text = text.expect("it ends").unwrap_or_default();
        let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let events = events.map(|data| serde_json::from_str::<Value>(data).unwrap());
        let word = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
        events.map(|event| (word(&event, "name"), word(&event, "event"))).collect()
    };
    let of = |events: &[(String, String)], name: &str| -> Vec<String> {
        events.iter().filter(|(whose, _)| whose == name).map(|(_, what)| what.clone()).collect()
    };
    let (notable, skus) = (read(notable).await, read(skus).await);
    assert_eq!(of(&notable, "order/relay"), ["restarting", "started"]);
    assert_eq!(of(&notable, "sku/chair"), ["restarting", "started"], "its first start is as any");
    assert!(notable.iter().all(|(name, _)| !name.starts_with("saga/")), "{notable:?}");
    assert_eq!(of(&skus, "sku/chair"), ["started", "restarting", "started"]);
    assert!(skus.iter().all(|(name, _)| name.starts_with("sku/")), "{skus:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_restarted_and_keeps_its_address() {
    let mut shop = Shop::open().await;
    // A connection that is kept open may be closed at the moment it is used again: HTTP has the client ask again
    // then (RFC 9112, 9.5). Whoever connects anew is always answered.
    shop.client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    shop.stock("chair", 1_000).await;
    for round in 1..=5 {
        shop.ask(&format!("{}/restart", page("http/server"))).await.expect(202);
        // Who comes between two servers waits for the next; nobody is turned away.
        let asked = (0..20).map(|_| async {
            let fresh = reqwest::Client::new();
            fresh.get(format!("{}/health", shop.url)).send().await.unwrap().status()
        });
        let answers = futures::future::join_all(asked).await;
        assert!(answers.iter().all(|status| status.is_success()), "{answers:?}");
        shop.wait("/admin/actors", |view| restarts(view, "http/server") == Some(round)).await;
    }
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_connection_is_answered_by_the_stopping_server() {
    let shop = Shop::open().await;
    let address = shop.url.strip_prefix("http://").unwrap();
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(TcpStream::connect(address).await.unwrap());
    }
    // So long that the server has taken them all: the socket's own line is not what is meant.
    tokio::time::sleep(Duration::from_millis(50)).await;
    shop.ask(&format!("{}/restart", page("http/server"))).await.expect(202);
    for stream in &mut streams {
        let ask = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(ask.as_bytes()).await.unwrap();
    }
    for mut stream in streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    }
    shop.close().await;
}
