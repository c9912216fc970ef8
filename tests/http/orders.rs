//! Orders as the seeds' own sessions place them, and what is asked of them.

use super::support::{Shop, id, order, send, with};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_several_lines_is_confirmed_dispatched_and_delivered() {
    let shop = Shop::open().await;
    let product = "00000000-0000-0000-0000-000000000001";
    shop.stock(product, 10).await;
    let body = json!({
        "customer_id": "123e4567-e89b-12d3-a456-426614174000",
        "payment_method": "credit_card",
        "items": [{ "product_id": product, "quantity": 2, "unit_price": 49.90 }],
    });
    let placed = shop.post("/orders", &body).await.expect(201);
    let order = id(&placed);
    assert_eq!(placed.header("location"), format!("/orders/{order}"));
    let view = placed.json();
    assert_eq!(view["status"], "PENDING");
    assert_eq!(view["total_amount"], json!(99.8));
    assert_eq!(view["currency"], "USD");

    let confirmed = shop.until(&order, "CONFIRMED").await;
    assert_eq!(confirmed["saga"]["status"], "COMPLETED");
    assert_eq!(confirmed["payment"]["status"], "APPROVED");
    assert_eq!(confirmed["payment"]["amount"], json!(99.8));
    assert_eq!(confirmed["shipment"]["status"], "SCHEDULED");
    let history = confirmed["history"].as_array().unwrap();
    let sequences: Vec<_> = history.iter().map(|row| row["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (0..history.len() as u64).collect::<Vec<_>>());
    let stock = shop.get(&format!("/inventory/{product}")).await.expect(200).json();
    assert_eq!(stock["available_qty"], 8);
    assert_eq!(stock["reserved_qty"], 2);

    let early = shop.ask(&format!("/orders/{order}/delivery")).await.problem(409);
    assert!(early["detail"].as_str().unwrap().contains("CONFIRMED"), "{early}");
    shop.ask(&format!("/orders/{order}/dispatch")).await.expect(202);
    shop.until(&order, "SHIPPED").await;
    let late = shop.ask(&format!("/orders/{order}/cancel")).await.problem(409);
    assert!(late["detail"].as_str().unwrap().contains("SHIPPED"), "{late}");
    let asked = shop.ask(&format!("/orders/{order}/delivery")).await.expect(202).json();
    assert_eq!(asked["order_id"], order.as_str());
    let done = shop.until(&order, "COMPLETED").await;
    assert_eq!(done["shipment"]["status"], "DELIVERED");
    let stock = shop.get(&format!("/inventory/{product}")).await.expect(200).json();
    assert_eq!(stock["on_hand"], 8);
    assert_eq!(stock["reserved_qty"], 0);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_short_form_takes_ids_as_numbers() {
    let shop = Shop::open().await;
    let stocked = json!({ "product_id": 1001, "available_qty": 100 });
    let stocked = shop.post("/inventory", &stocked).await.expect(201);
    assert_eq!(stocked.header("location"), "/inventory/1001");
    let body = r#"{"user_id": 42, "product_id": 1001, "quantity": 2, "total_amount": 199.98}"#;
    let placed = shop.post_text("/orders", body).await.expect(201);
    let view = shop.until(&id(&placed), "CONFIRMED").await;
    assert_eq!(view["customer_id"], "42");
    assert_eq!(view["payment_method"], "credit_card");
    assert_eq!(view["total_amount"], json!(199.98));
    assert_eq!(view["items"], json!([{ "product_id": "1001", "quantity": 2, "amount": 199.98 }]));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sold_out_and_unknown_products_are_cancelled_with_the_reason() {
    let shop = Shop::open().await;
    shop.stock("few", 1).await;
    let short = shop.place(&order("few", 2)).await;
    let unknown = shop.place(&order("nobody-has-it", 1)).await;
    let short = shop.until(&short, "CANCELLED").await;
    assert_eq!(short["failure"]["shortages"][0]["available"], 1);
    assert_eq!(short["failure"]["shortages"][0]["requested"], 2);
    let unknown = shop.until(&unknown, "CANCELLED").await;
    assert_eq!(unknown["failure"]["reason"], "unknown_product");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_gives_stock_and_money_back() {
    let shop = Shop::open().await;
    shop.stock("chair", 3).await;
    let placed = shop.place(&order("chair", 2)).await;
    shop.until(&placed, "CONFIRMED").await;
    shop.ask(&format!("/orders/{placed}/cancel")).await.expect(202);
    let view = shop.until(&placed, "CANCELLED").await;
    assert_eq!(view["failure"]["step"], "customer");
    assert_eq!(view["payment"]["status"], "REVERSED");
    assert_eq!(view["shipment"]["status"], "CANCELLED");
    shop.wait("/inventory/chair", |stock| stock["available_qty"] == 3).await;
    let payment = shop.get(&format!("/payments/{placed}")).await.expect(200).json();
    assert_eq!(payment["captured"], payment["refunded"]);
    // Asked again, there is nothing left to do, or it is said what stands against it.
    let again = shop.ask(&format!("/orders/{placed}/cancel")).await;
    assert!([202, 409].contains(&again.status.as_u16()), "{}", again.text);
    shop.ask(&format!("/orders/{placed}/dispatch")).await.problem(409);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_dispatched_only_once_it_is_confirmed() {
    let shop = Shop::with(|config| {
        config.payment.latency = std::time::Duration::from_secs(2);
        config.payment.timeout = std::time::Duration::from_secs(5);
    })
    .await;
    shop.stock("chair", 3).await;
    let placed = shop.place(&order("chair", 1)).await;
    let problem = shop.ask(&format!("/orders/{placed}/dispatch")).await.problem(409);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("PENDING") || detail.contains("INVENTORY_RESERVED"), "{detail}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_exact_in_every_currency() {
    let shop = Shop::open().await;
    shop.stock("gem", 1_000_000).await;
    let cases = [
        ("USD", "0.1", 3, "0.3"),
        ("USD", "\"19.99\"", 100, "1999.0"),
        ("USD", "4.99e1", 1, "49.9"),
        ("USD", "9999999999999.99", 1, "9999999999999.99"),
        ("JPY", "120", 7, "840.0"),
        ("KWD", "0.001", 999, "0.999"),
        ("EUR", "49.9000", 1, "49.9"),
    ];
    for (currency, price, quantity, total) in cases {
        let body = format!(
            r#"{{"customer_id": "ann", "payment_method": "card", "currency": "{currency}",
                "items": [{{"product_id": "gem", "quantity": {quantity}, "unit_price": {price}}}]}}"#
        );
        let placed = shop.post_text("/orders", body).await.expect(201);
        assert!(placed.text.contains(&format!("\"total_amount\":{total}")), "{}", placed.text);
        assert_eq!(placed.json()["currency"], currency);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_an_order_may_have_is_kept() {
    let shop = Shop::open().await;
    shop.stock("chair", 9).await;
    shop.stock("table", 9).await;
    let body = json!({
        "customer_id": "ann", "payment_method": "paypal", "currency": "EUR", "priority": "express",
        "email": "ann@example.com", "phone": "+49 30 1234",
        "address": { "name": "Ann", "street": "Lane 1", "city": "Berlin", "postal_code": "10115",
                     "country": "DE" },
        "items": [
            { "product_id": "chair", "quantity": 4, "unit_price": 10 },
            { "product_id": "table", "quantity": 1, "unit_price": 99.5, "currency": "EUR" },
        ],
    });
    let placed = shop.place(&body).await;
    let view = shop.until(&placed, "CONFIRMED").await;
    assert_eq!(view["priority"], "express");
    assert_eq!(view["payment_method"], "paypal");
    assert_eq!(view["total_amount"], json!(139.5));
    assert_eq!(view["items"].as_array().unwrap().len(), 2);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_order_is_404_and_a_malformed_id_is_400() {
    let shop = Shop::open().await;
    let nobody = "0190d6e8-0000-7000-8000-000000000000";
    for path in ["", "/events"] {
        shop.get(&format!("/orders/{nobody}{path}")).await.problem(404);
        shop.get(&format!("/orders/abc{path}")).await.fault(400, "order_id");
    }
    for verb in ["cancel", "dispatch", "delivery"] {
        shop.ask(&format!("/orders/{nobody}/{verb}")).await.problem(404);
        shop.ask(&format!("/orders/1/{verb}")).await.fault(400, "order_id");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payment_method_decides_at_the_simulated_gateway() {
    let shop = Shop::open().await;
    shop.stock("chair", 9).await;
    let declined = with(order("chair", 1), "/payment_method", json!("test_declined"));
    let declined = shop.place(&declined).await;
    let view = shop.until(&declined, "CANCELLED").await;
    assert_eq!(view["failure"]["step"], "payment");
    let nowhere =
        with(order("chair", 1), "/address", json!({ "postal_code": "TEST-UNDELIVERABLE" }));
    let nowhere = shop.place(&nowhere).await;
    let view = shop.until(&nowhere, "CANCELLED").await;
    assert_eq!(view["payment"]["status"], "REVERSED");
    shop.wait("/inventory/chair", |stock| stock["available_qty"] == 9).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn head_answers_as_get_does_without_the_body() {
    let shop = Shop::open().await;
    shop.stock("chair", 9).await;
    for path in ["/orders", "/inventory/chair", "/health", "/openapi.json", "/docs"] {
        let head = send(shop.request(Method::HEAD, path)).await.expect(200);
        assert_eq!(head.text, "");
        assert_eq!(head.header("content-type"), shop.get(path).await.header("content-type"));
    }
    shop.close().await;
}
