//! What payment, shipping, notification and audit tell of an order.

use super::support::{Shop, order};
use reqwest::Method;
use serde_json::Value;

/// Times have microseconds, whoever tells them.
fn has_microseconds(value: &Value) {
    match value {
        Value::String(text) if text.ends_with("+00:00") => {
            let fraction = text.split(['.', '+']).nth(1).unwrap();
            assert!(fraction.len() <= 6 || fraction == "00:00", "{text}");
        }
        Value::Array(values) => values.iter().for_each(has_microseconds),
        Value::Object(members) => members.values().for_each(has_microseconds),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_service_tells_its_part() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 2)).await;
    has_microseconds(&shop.until(&placed, "CONFIRMED").await);
    let payment = shop.get(&format!("/payments/{placed}")).await.expect(200).json();
    has_microseconds(&payment);
    assert_eq!((&payment["status"], &payment["currency"]), (&"APPROVED".into(), &"USD".into()));
    assert_eq!(payment["captured"].as_f64(), Some(99.8));
    let shipment = shop.get(&format!("/shipments/{placed}")).await.expect(200).json();
    has_microseconds(&shipment);
    assert_eq!(shipment["units"], 2);
    assert_eq!(shipment["freight"].as_f64(), Some(8.0));
    let code = shipment["tracking_code"].as_str().unwrap();
    assert!(code.starts_with("TRK-") && code.len() == 12, "{code}");
    for service in ["payments", "shipments"] {
        shop.get(&format!("/{service}/0190d6e8-0000-7000-8000-000000000000")).await.problem(404);
        shop.get(&format!("/{service}/x")).await.fault(400, "order_id");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_has_every_event_in_order() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    let path = format!("/audit?order_id={placed}&limit=200");
    let seen = |view: &Value| view["entries"].as_array().unwrap().len() >= 4;
    let audit = shop.wait(&path, seen).await;
    let entries = audit["entries"].as_array().unwrap();
    let types: Vec<_> = entries.iter().map(|entry| entry["event_type"].as_str().unwrap()).collect();
    let expected =
        ["order.created", "inventory.reserved", "payment.approved", "shipping.scheduled"];
    assert_eq!(types[..4], expected);
    for entry in entries {
        assert_eq!(entry["order_id"], placed.as_str());
        assert_eq!(entry["message"]["order_id"], placed.as_str());
    }
    let times: Vec<_> =
        entries.iter().map(|entry| entry["occurred_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_read_one_by_one_or_all() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let (one, two) = (shop.place(&order("chair", 1)).await, shop.place(&order("chair", 1)).await);
    let count = |n: usize| move |view: &Value| view["notifications"].as_array().unwrap().len() == n;
    let all = shop.wait("/notifications?is_read=false", count(4)).await;
    shop.wait("/notifications?type=order.confirmed", count(2)).await;
    let id = all["notifications"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/notifications/{id}");
    for (is_read, left) in [(true, 3), (true, 3), (false, 4), (true, 3)] {
        let body = format!(r#"{{"is_read": {is_read}}}"#);
        let marked = shop.send_text(Method::PATCH, &path, body).await.expect(200).json();
        assert_eq!((&marked["id"], &marked["is_read"]), (&id.as_str().into(), &is_read.into()));
        shop.wait("/notifications?is_read=false", count(left)).await;
    }
    let body = format!(r#"{{"order_id": "{one}"}}"#);
    shop.post_text("/notifications/mark-all-read", body).await.expect(200);
    shop.wait(&format!("/notifications?order_id={one}&is_read=true"), count(2)).await;
    shop.wait(&format!("/notifications?order_id={two}"), count(2)).await;
    // Nobody marks everybody's by leaving something out.
    shop.ask("/notifications/mark-all-read").await.fault(422, "customer_id");
    shop.post_text("/notifications/mark-all-read", "{}").await.fault(422, "customer_id");
    shop.wait("/notifications?is_read=false", |list| list["notifications"][0].is_object()).await;
    let all = r#"{"all": true}"#;
    shop.post_text("/notifications/mark-all-read", all).await.expect(200);
    shop.wait("/notifications?is_read=false", count(0)).await;
    let none = shop.post_text("/notifications/mark-all-read", all).await.expect(200).json();
    assert_eq!(none["updated"], 0);
    for unknown in ["x", "0190d6e8-0000-7000-8000-000000000000.order.created", "%F0%9F%92%B6"] {
        let path = format!("/notifications/{unknown}");
        shop.send_text(Method::PATCH, &path, r#"{"is_read": true}"#).await.problem(404);
    }
    shop.close().await;
}
