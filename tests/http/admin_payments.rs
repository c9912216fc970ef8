//! What operators read of payments: the records, those that need a person, and what gateways told.

use super::support::{Shop, order, send, with};
use ordermill_domain::ids::ServiceName;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection;
use uuid::Uuid;

fn ids(list: &Value, entries: &str, id: &str) -> Vec<String> {
    let entries = list[entries].as_array().unwrap().iter();
    entries.map(|entry| entry[id].as_str().unwrap().to_owned()).collect()
}

/// Places an order that is paid by this method.
async fn place(shop: &Shop, method: &str) -> String {
    shop.place(&with(order("mug", 1), "/payment_method", json!(method))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_that_need_a_person_are_listed_until_it_is_done() {
    let shop = Shop::open().await;
    shop.stock("mug", 10).await;
    let mut needing = Vec::new();
    for _ in 0..3 {
        let placed = place(&shop, "test_refund_by_hand").await;
        shop.until(&placed, "CONFIRMED").await;
        shop.ask(&format!("/orders/{placed}/cancel")).await.expect(202);
        needing.push(placed);
    }
    needing.sort();
    let orders = |list: &Value| ids(list, "payments", "order_id");
    let list = "/admin/payments?attention=refund_by_hand";
    let all = shop.wait(list, |all| orders(all) == needing).await;
    assert_eq!(all["payments"][0]["attention"], "refund_by_hand");
    for any in ["/admin/payments", "/admin/payments?attention=any"] {
        assert_eq!(orders(&shop.get(any).await.expect(200).json()), needing);
    }
    let first = shop.get(&format!("{list}&limit=2")).await.expect(200).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = shop.get(&format!("{list}&limit=2&cursor={cursor}")).await.expect(200).json();
    assert_eq!([orders(&first), orders(&second)].concat(), needing);
    assert_eq!(second["next_cursor"], Value::Null);
    let others = shop.get("/admin/payments?attention=late_money").await.expect(200).json();
    assert_eq!(orders(&others), [""; 0]);
    shop.get("/admin/payments?attention=late").await.fault(400, "attention");

    let note = "BCA transfer #88";
    let path = format!("/admin/payments/{}/by-hand", needing[0]);
    shop.post(&path, &json!({ "done": "refund", "note": note })).await.expect(202);
    shop.wait(list, |left| orders(left) == needing[1..]).await;
    let record = shop.get(&format!("/payments/{}", needing[0])).await.expect(200).json();
    assert_eq!((&record["note"], &record["attention"]), (&json!(note), &Value::Null));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payments_record_has_its_gateway_tries_and_refunds() {
    let shop = Shop::open().await;
    shop.stock("mug", 10).await;
    let placed = place(&shop, "test_redirect").await;
    let waits = format!("/orders/{placed}?wait=payment_url&timeout=30s");
    let url = shop.get(&waits).await.expect(200).json()["payment"]["payment_url"].clone();
    let (_, page) = url.as_str().unwrap().split_once("/simulated-gateway").unwrap();
    let page = format!("/simulated-gateway{page}");
    let choose = async |choice: &'static str| {
        let form = shop.request(Method::POST, &page).body(choice);
        send(form.header("content-type", "application/x-www-form-urlencoded")).await.expect(200)
    };
    let path = format!("/payments/{placed}");
    choose("choice=decline").await;
    let tried = shop.wait(&path, |record| record["last_try"]["outcome"] == "denied").await;
    assert_eq!((&tried["provider"], &tried["refunds"]), (&json!("simulated"), &json!([])));
    choose("choice=pay").await;
    shop.until(&placed, "CONFIRMED").await;

    let refunds = format!("/orders/{placed}/refunds");
    let asked = shop.request(Method::POST, &refunds).header("Idempotency-Key", "r-1");
    send(asked.json(&json!({ "amount": "10.00", "reason": "broken" }))).await.expect(202);
    let done = |list: &Value| list["refunds"][0]["status"] == "DONE";
    let refunds = shop.wait(&refunds, done).await;
    let record = shop.get(&path).await.expect(200).json();
    assert_eq!(record["refunds"], refunds["refunds"]);
    assert!(record.get("payment_url").is_none(), "the page's link is shown with the order alone");

    let told = shop.get(&format!("/admin/notifications?order={placed}")).await.expect(200).json();
    let told = told["notifications"].as_array().unwrap().clone();
    assert_eq!(told.len(), 2, "of the try and of the payment: {told:?}");
    let times: Vec<_> = told.iter().map(|told| told["received_at"].as_str().unwrap()).collect();
    assert!(times[0] > times[1], "newest first: {times:?}");
    for notification in told {
        assert_eq!(notification["order_id"], placed.as_str());
        assert_eq!(notification["provider"], "simulated");
        let path = format!("/admin/notifications/{}", notification["id"].as_str().unwrap());
        assert_eq!(shop.get(&path).await.expect(200).json(), notification);
    }
    shop.close().await;
}

/// Stores a notification of no known payment.
async fn store_unmatched(shop: &Shop, number: u8) {
    let mut payment = shop.database("payment").await;
    sqlx::query(
        "INSERT INTO payment_notifications
             (id, provider, reference, event_key, received_at, times, text, body)
         VALUES (?, 'midtrans', 'other-1', ?, 4000000000000000, 2, 'settlement 1.00 IDR', ?)",
    )
    .bind(Uuid::from_u128(number.into()))
    .bind(vec![number; 32])
    .bind(b"{\"customer\": \"Siti\"}".as_slice())
    .execute(&mut payment)
    .await
    .unwrap();
    payment.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_of_no_known_payment_are_listed_without_their_bodies() {
    let shop = Shop::open().await;
    for number in 1..=3 {
        store_unmatched(&shop, number).await;
    }
    let list = "/admin/notifications?order=none";
    let id = |number: u8| Uuid::from_u128(number.into()).to_string();
    let listed = |list: &Value| ids(list, "notifications", "id");
    let first = shop.get(&format!("{list}&limit=2")).await.expect(200).json();
    assert_eq!(listed(&first), [id(3), id(2)]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = shop.get(&format!("{list}&limit=2&cursor={cursor}")).await.expect(200).json();
    assert_eq!((listed(&second), &second["next_cursor"]), (vec![id(1)], &Value::Null));
    let one = shop.get(&format!("/admin/notifications/{}", id(1))).await.expect(200);
    let shown = json!({
        "id": id(1), "provider": "midtrans", "reference": "other-1", "order_id": null,
        "received_at": "2096-10-02T07:06:40.000000Z", "times": 2, "text": "settlement 1.00 IDR",
    });
    assert_eq!(one.json(), shown);
    assert_eq!(second["notifications"][0], shown);

    for nobody in [id(9), "x".to_owned()] {
        shop.get(&format!("/admin/notifications/{nobody}")).await.problem(404);
    }
    shop.get("/admin/notifications").await.fault(400, "order");
    shop.get("/admin/notifications?order=x").await.fault(400, "order");
    for list in ["/admin/payments?", "/admin/notifications?order=none&"] {
        shop.get(&format!("{list}limit=201")).await.fault(400, "limit");
        shop.get(&format!("{list}cursor=AA")).await.fault(400, "cursor");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_the_payment_service_says_so() {
    let shop = Shop::with(|config| {
        config.services.remove(&ServiceName::Payment);
    })
    .await;
    let id = Uuid::from_u128(1);
    for path in [
        "/admin/payments",
        "/admin/notifications?order=none",
        &format!("/admin/notifications/{id}"),
    ] {
        let problem = shop.get(path).await.problem(503);
        assert!(problem["detail"].as_str().unwrap().contains("payment service"), "{problem}");
    }
    shop.close().await;
}
