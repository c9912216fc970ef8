//! The page where a customer can pay: who waits for it is told, and nobody else sees its link.
//!
//! The gateway of these shops does not answer, so that payments stay undecided; pages are told by hand.

use super::dead_letters::store_dead_letter;
use super::support::{Shop, order, with};
use chrono::{DateTime, Utc};
use ordermill::config::Config;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{
    Body, Flow, Message, Origin, Payload, PaymentActionRequired, PaymentMessage, Plan, Queue,
};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::outbox::OutboxRow;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

const LINK: &str = "https://pay.example/bearer-";

fn silent_gateway(config: &mut Config) {
    config.payment.latency = Duration::from_secs(300);
}

async fn shop() -> Shop {
    let shop = Shop::with(silent_gateway).await;
    shop.stock("chair", 50).await;
    shop
}

/// Places an order whose payment is asked for.
async fn place(shop: &Shop) -> String {
    let placed = shop.place(&with(order("chair", 1), "/email", json!("ann@example.com"))).await;
    shop.until(&placed, "INVENTORY_RESERVED").await;
    placed
}

fn page(order: &str, number: u32) -> Arc<Message> {
    let order_id = OrderId(order.parse().unwrap());
    let origin = Origin::new(order_id, Flow::Orchestrated, Plan::ReserveFirst);
    let expires_at = DateTime::<Utc>::from_timestamp(4_000_000_000, 0).unwrap();
    let amount = Money { minor: 4_990, currency: Currency::USD };
    let url = format!("{LINK}{number}");
    let page = PaymentActionRequired { url, expires_at, amount };
    let payload = Payload::Payment(PaymentMessage::ActionRequired(page));
    Message::new(&origin, payload, number, expires_at)
}

/// Has the payment service's outbox bring a queue a page, as the payment service will.
async fn tell(shop: &Shop, queue: Queue, order: &str, number: u32) {
    let id = Uuid::from_u128(2 * u128::from(number) + u128::from(queue == Queue::AuditEvents));
    let row = OutboxRow::redriven(id, queue, Body::One(page(order, number)));
    let mut payment = shop.database("payment").await;
    sqlx::query("INSERT INTO outbox (id, content, tries, parked_until) VALUES (?, ?, 1, 0)")
        .bind(row.id)
        .bind(row.to_json())
        .execute(&mut payment)
        .await
        .unwrap();
    payment.close().await.unwrap();
}

async fn timed(shop: &Shop, path: &str) -> (Value, Duration) {
    let begun = Instant::now();
    let view = shop.get(path).await.expect(200).json();
    (view, begun.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_for_the_page_is_answered_when_it_comes() {
    let shop = shop().await;
    let placed = place(&shop).await;
    let path = format!("/orders/{placed}?wait=payment_url");
    let (view, waited) = timed(&shop, &format!("{path}&timeout=300ms")).await;
    assert_eq!(view["payment"]["status"], "PENDING", "shown from acceptance on");
    assert_eq!(
        (&view["payment"]["amount"], &view["payment"]["captured"]),
        (&json!(49.9), &json!(0.0))
    );
    assert!(view["payment"].get("payment_url").is_none());
    assert!(view["payment"].get("provider").is_none(), "it may be any gateway: {view}");
    assert!(waited >= Duration::from_millis(300), "{waited:?}");

    let later = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        tell(&shop, Queue::OrderEvents, &placed, 0).await;
    };
    let waits = format!("{path}&timeout=30s");
    let ((view, waited), ()) = tokio::join!(timed(&shop, &waits), later);
    assert_eq!(view["payment"]["payment_url"], format!("{LINK}0"));
    assert!(view["payment"]["expires_at"].is_string());
    assert!(
        waited < Duration::from_secs(25),
        "it did not wait for the end of the time: {waited:?}"
    );

    let (_, waited) = timed(&shop, &waits).await;
    assert!(waited < Duration::from_secs(10), "the page is there already: {waited:?}");
    shop.ask(&format!("/orders/{placed}/cancel")).await.expect(202);
    let (view, waited) = timed(&shop, &waits).await;
    assert!(waited < Duration::from_secs(10), "none can come: {waited:?}");
    assert!(view["payment"].get("payment_url").is_none(), "{view}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_order_is_not_waited_for() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    let path = format!("/orders/{placed}?wait=payment_url&timeout=30s");
    let (view, waited) = timed(&shop, &path).await;
    assert_eq!(
        (&view["payment"]["status"], &view["payment"]["provider"]),
        (&json!("APPROVED"), &json!("simulated"))
    );
    assert!(waited < Duration::from_secs(25), "{waited:?}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_wait_or_a_longer_one_is_refused() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    for (query, fault) in [
        ("wait=parcel", "wait"),
        ("wait=payment_url&timeout=31s", "timeout"),
        ("wait=payment_url&timeout=soon", "timeout"),
        ("timeout=5s", "timeout"),
    ] {
        shop.get(&format!("/orders/{placed}?{query}")).await.fault(400, fault);
    }
    let unknown = format!("/orders/{}?wait=payment_url", Uuid::nil());
    shop.get(&unknown).await.problem(404);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_is_in_no_list() {
    let shop = shop().await;
    let placed = place(&shop).await;
    tell(&shop, Queue::OrderEvents, &placed, 0).await;
    // As if a publisher of an earlier version fed audit with it.
    tell(&shop, Queue::AuditEvents, &placed, 0).await;
    store_dead_letter(&shop, 9, Queue::OrderEvents, page(&placed, 3).json()).await;
    let broken = format!("{}broken", page(&placed, 4).json());
    store_dead_letter(&shop, 10, Queue::OrderEvents, &broken).await;
    let there = |view: &Value| view["payment"]["payment_url"] == format!("{LINK}0");
    shop.wait(&format!("/orders/{placed}"), there).await;

    let told = |list: &Value| list.to_string().contains("order.payment_required");
    shop.wait(&format!("/notifications?order_id={placed}"), told).await;
    let audited = |list: &Value| told(list) && list.to_string().contains("payment.action_required");
    shop.wait(&format!("/audit?order_id={placed}"), audited).await;
    for path in [
        "/orders".to_owned(),
        "/admin/sagas".to_owned(),
        format!("/admin/sagas/{placed}"),
        format!("/notifications?order_id={placed}"),
        format!("/audit?order_id={placed}"),
        "/admin/dead-letters".to_owned(),
        format!("/admin/dead-letters/{}", Uuid::from_u128(9)),
    ] {
        let answer = shop.get(&path).await.expect(200);
        assert!(!answer.text.contains("bearer-"), "{path}: {}", answer.text);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_of_the_order_tells_the_page() {
    let shop = shop().await;
    let placed = place(&shop).await;
    let path = format!("/orders/{placed}/events");
    let mut stream = shop.request(Method::GET, &path).send().await.unwrap();
    tell(&shop, Queue::OrderEvents, &placed, 0).await;
    let mut text = String::new();
    let until = tokio::time::Instant::now() + Duration::from_secs(30);
    while !text.contains("payment_url") {
        let chunk = tokio::time::timeout_at(until, stream.chunk()).await.expect("it is told");
        text.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("the stream goes on")));
    }
    assert!(text.contains(&format!("{LINK}0")) && text.contains("event: step"), "{text}");
    shop.close().await;
}
