//! `Idempotency-Key`: one order, however often it is asked for.

use super::support::{Shop, ShopResponse, id, order, send};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeSet;

async fn place(shop: &Shop, key: &str, body: &Value) -> ShopResponse {
    send(shop.request(Method::POST, "/orders").header("Idempotency-Key", key).json(body)).await
}

async fn place_text(shop: &Shop, key: &str, body: &str) -> ShopResponse {
    let request = shop.request(Method::POST, "/orders").header("content-type", "application/json");
    send(request.header("Idempotency-Key", key).body(body.to_owned())).await
}

async fn orders(shop: &Shop) -> usize {
    shop.get("/orders").await.expect(200).json()["orders"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_are_one_order() {
    let shop = Shop::open().await;
    shop.stock("chair", 1_000).await;
    let body = order("chair", 1);
    let asking: Vec<_> = (0..100).map(|_| place(&shop, "key-1", &body)).collect();
    let answers: Vec<ShopResponse> = futures::future::join_all(asking).await;
    let ids: BTreeSet<String> = answers.into_iter().map(|answer| id(&answer.expect(201))).collect();
    assert_eq!(ids.len(), 1);
    shop.until(ids.first().unwrap(), "CONFIRMED").await;
    assert_eq!(orders(&shop).await, 1);
    assert_eq!(shop.get("/inventory/chair").await.json()["available_qty"], 999);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_has_the_same_answer_also_after_a_restart() {
    let shop = Shop::open().await;
    shop.stock("chair", 10).await;
    let first = place(&shop, "key-1", &order("chair", 1)).await.expect(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    shop.until(&id(&first), "CONFIRMED").await;
    let again = place(&shop, "key-1", &order("chair", 1)).await.expect(201);
    assert_eq!(again.text, first.text, "as it was then, however far the order has come");
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    place(&shop, "key-1", &order("chair", 2)).await.fault(422, "Idempotency-Key");

    let shop = shop.reopen().await;
    let restarted = place(&shop, "key-1", &order("chair", 1)).await.expect(201);
    assert_eq!(restarted.text, first.text);
    assert_eq!(restarted.header("idempotent-replayed"), "true");
    place(&shop, "key-1", &order("chair", 2)).await.problem(422);
    assert_eq!(orders(&shop).await, 1);
    let other = place(&shop, "key-2", &order("chair", 1)).await.expect(201);
    assert_ne!(id(&other), id(&first));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_order_in_other_words_is_the_same_order() {
    let shop = Shop::open().await;
    let text =
        r#"{"customer_id":"42","items":[{"product_id":"chair","quantity":2,"unit_price":5}]}"#;
    let first = place_text(&shop, "key-1", text).await.expect(201);
    let same = [
        r#"{"items":[{"unit_price":5,"quantity":2,"product_id":"chair"}],"customer_id":"42"}"#,
        r#" { "customer_id": "42",
              "items": [ { "product_id": "chair", "quantity": 2, "unit_price": 5.00 } ] } "#,
        r#"{"user_id":42,"payment_method":"credit_card","currency":"USD","priority":"standard",
            "items":[{"product_id":"chair","quantity":2,"unit_price":"5.0"}],"email":null}"#,
    ];
    for words in same {
        let again = place_text(&shop, "key-1", words).await.expect(201);
        assert_eq!(again.header("idempotent-replayed"), "true", "{words}");
        assert_eq!(again.text, first.text);
    }
    let others = [
        text.replace("\"42\"", "\"43\""),
        text.replace("chair", "table"),
        text.replace(":2", ":3"),
        text.replace(":5", ":5.01"),
        text.replace("\"items\"", "\"currency\":\"EUR\",\"items\""),
        text.replace("\"items\"", "\"priority\":\"express\",\"items\""),
        text.replace("\"items\"", "\"phone\":\"1\",\"items\""),
        text.replace("\"items\"", "\"address\":{\"city\":\"Rome\"},\"items\""),
    ];
    for words in others {
        place_text(&shop, "key-1", &words).await.fault(422, "Idempotency-Key");
    }
    assert_eq!(orders(&shop).await, 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_1_to_255_visible_characters() {
    let shop = Shop::open().await;
    place(&shop, &"k".repeat(255), &order("chair", 1)).await.expect(201);
    for key in ["", "a b", "a\tb", &"k".repeat(256), "schlüssel"] {
        place(&shop, key, &order("chair", 1)).await.fault(400, "Idempotency-Key");
    }
    let two = shop.request(Method::POST, "/orders").json(&order("chair", 1));
    let two = two.header("Idempotency-Key", "a").header("Idempotency-Key", "b");
    send(two).await.fault(400, "Idempotency-Key");
    assert_eq!(orders(&shop).await, 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_leaves_its_key_free() {
    let shop = Shop::open().await;
    place(&shop, "key-1", &order("chair", 0)).await.problem(422);
    place(&shop, "key-1", &order("chair", 1)).await.expect(201);
    let (one, two) = (shop.place(&order("chair", 1)).await, shop.place(&order("chair", 1)).await);
    assert_ne!(one, two, "without a key each request is an order");
    shop.close().await;
}
