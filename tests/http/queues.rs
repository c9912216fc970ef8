//! /admin/queues and text messages: what waits, and what reaches a telephone.

use super::dead_letters::{place_unreachable, shop_with_sms, until};
use super::support::{Shop, order, with};
use ordermill_domain::messages::Queue;
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn queues(shop: &Shop) -> BTreeMap<String, Value> {
    let list = shop.get("/admin/queues").await.expect(200).json();
    let named = |queue: &Value| (queue["queue"].as_str().unwrap().to_owned(), queue.clone());
    list["queues"].as_array().unwrap().iter().map(named).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_queue_is_shown_with_its_service_and_consumers() {
    let shop = Shop::open().await;
    let seen = queues(&shop).await;
    assert_eq!(seen.len(), Queue::ALL.len());
    let view = |queue: &str, service: &str, consumers: u32| json!({ "queue": queue, "service": service, "ready": 0, "unacked": 0, "consumers": consumers });
    assert_eq!(seen["order.events"], view("order.events", "order", 1));
    assert_eq!(seen["audit.events"], view("audit.events", "audit", 1));
    // Nobody sends text messages here: nobody takes them.
    assert_eq!(seen["notification.sms"], view("notification.sms", "notification", 0));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_messages_go_to_those_who_left_a_number() {
    let shop = shop_with_sms().await;
    assert_eq!(queues(&shop).await["notification.sms"]["consumers"], 1);
    assert_eq!(queues(&shop).await["notification.email"]["consumers"], 0);
    shop.stock("chair", 5).await;
    let reached = shop.place(&with(order("chair", 1), "/phone", json!("+49 30 1234"))).await;
    shop.until(&reached, "CONFIRMED").await;
    let silent = shop.place(&order("chair", 1)).await;
    shop.until(&silent, "CONFIRMED").await;
    let unreachable = place_unreachable(&shop).await;
    let letters = until(&shop, "", 2).await;
    for letter in &letters {
        assert_eq!(letter["order_id"], unreachable.as_str());
        assert_eq!(letter["cause"], "the address is not a telephone number");
        assert_eq!(
            (&letter["event_type"], &letter["attempts"]),
            (&json!("notification.send"), &json!(1))
        );
    }
    // What was sent has left nothing behind: the shop ends with everything said.
    shop.close().await;
}
