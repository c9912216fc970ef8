//! What keeps failing: one order is left alone until somebody releases it, a part takes its service along
//! and a service the process.

use super::setup::Setup;
use super::shop::{Shop, order};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// An entity that fails this often within two minutes is quarantined.
const QUARANTINED_AFTER: usize = 6;
/// A delivery is tried again after 1, 5 and 30 seconds, and is then a dead letter.
const DEATH_LIMIT: Duration = Duration::from_secs(60);
/// How long the rest may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Each part that fails again and again does so in pauses that double, up to ten seconds; so do services.
const END_LIMIT: Duration = Duration::from_secs(300);

async fn quarantined(shop: &Shop) -> Vec<Value> {
    shop.get("/admin/actors?status=quarantined").await["actors"].as_array().unwrap().clone()
}

/// The names of all actors below.
fn names(actors: &[Value]) -> Vec<String> {
    let below = |actor: &Value| names(actor["children"].as_array().unwrap());
    let name = |actor: &Value| actor["name"].as_str().unwrap().to_owned();
    actors.iter().flat_map(|actor| [vec![name(actor)], below(actor)].concat()).collect()
}

async fn cancel(shop: &Shop, id: &str) -> (StatusCode, Value) {
    shop.once(Method::POST, &format!("/orders/{id}/cancel"), None, None).await.unwrap()
}

async fn an_order_that_keeps_failing_is_left_alone_until_it_is_released(setup: Setup) {
    let setup = setup.with("ORDERMILL_PANIC", &format!("compensating:{QUARANTINED_AFTER}"));
    let mut server = setup.start();
    let shop = server.shop();
    shop.stock("A", 10).await;
    // Its payment is answered after some ten seconds: when it is quarantined.
    let sick = shop.place(&order("anna", &[("A", 1)], "test_timeout_charged")).await;
    shop.until(&sick, LIMIT, |order| order.status == "INVENTORY_RESERVED").await;
    let name = format!("saga/{sick}");
    let refusal = loop {
        let (status, body) = cancel(&shop, &sick).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        if body["detail"].as_str().unwrap().contains("quarantined") {
            break body;
        }
    };
    assert!(refusal["detail"].as_str().unwrap().contains(&name), "{refusal}");
    assert!(names(&quarantined(&shop).await).contains(&name));
    let page = shop.get(&format!("/admin/actors/{}", name.replace('/', "%2F"))).await;
    assert_eq!(page["status"], "quarantined", "{page}");
    assert!(page["last_restarts"][0]["cause"].as_str().unwrap().contains("panic"), "{page}");

    // Its neighbours notice nothing, and it can be looked at.
    let sound = shop.place(&order("bert", &[("A", 1)], "credit_card")).await;
    shop.until(&sound, LIMIT, |order| order.status == "CONFIRMED").await;
    assert_eq!(shop.order(&sick).await.status, "INVENTORY_RESERVED");

    // What it is told is tried again, and kept.
    let letters = "/admin/dead-letters?queue=order.events";
    shop.until_so(DEATH_LIMIT, letters, |page| page["dead_letters"].as_array().unwrap().len() == 1)
        .await;
    let letter = shop.get(letters).await["dead_letters"][0].clone();
    assert_eq!(letter["order_id"], json!(sick), "{letter}");
    assert!(letter["cause"].as_str().unwrap().contains("quarantined"), "{letter}");

    let release = format!("/admin/actors/{}/release", name.replace('/', "%2F"));
    let (status, body) = shop.post(&release).await;
    assert!(status.is_success(), "{status}: {body}");
    assert_eq!(names(&quarantined(&shop).await), Vec::<String>::new());
    let redrive = format!("/admin/dead-letters/{}/redrive", letter["id"].as_str().unwrap());
    assert!(shop.post(&redrive).await.0.is_success());
    shop.until(&sick, LIMIT, |order| order.status == "CONFIRMED").await;
    assert!(cancel(&shop, &sick).await.0.is_success());
    shop.until(&sick, LIMIT, |order| order.status == "CANCELLED").await;
    server.signal("TERM");
    assert_eq!(server.ended(LIMIT).await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_always_fails_escalates_to_its_service_and_the_process() {
    let setup = Setup::embedded().with("ORDERMILL_PANIC", "delivered:1000000");
    let mut server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1_000).await;
    let id = shop.place(&order("anna", &[("A", 1)], "credit_card")).await;
    let status = server.ended(END_LIMIT).await;
    assert_eq!(status.code(), Some(1), "whoever looks after the process must see that it failed");
    let log = server.log();
    assert!(log.contains("inventory"), "{log}");

    // Whoever starts it again where nothing fails finds the order as it was.
    let server = setup.with("ORDERMILL_PANIC", "delivered:0").start();
    server.shop().until(&id, LIMIT, |order| order.status == "CONFIRMED").await;
    server.terminate().await;
}

everywhere! { an_order_that_keeps_failing_is_left_alone_until_it_is_released }
