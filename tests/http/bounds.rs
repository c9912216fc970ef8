//! The bounds of what is taken: just inside, just outside, far outside. Every field at fault is named.

use super::support::{Shop, ShopResponse, id, order, with};
use futures::stream;
use reqwest::{Body, Method};
use serde_json::{Value, json};

/// What is taken of a body, in bytes.
const BODY_BYTES: usize = 64 * 1024;

async fn line(shop: &Shop, quantity: &str, price: &str) -> ShopResponse {
    let body = format!(
        r#"{{"customer_id": "ann", "payment_method": "card",
            "items": [{{"product_id": "chair", "quantity": {quantity}, "unit_price": {price}}}]}}"#
    );
    shop.post_text("/orders", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn quantities() {
    let shop = Shop::open().await;
    for taken in ["1", "1000000"] {
        line(&shop, taken, "1").await.expect(201);
    }
    let refused = [
        "0",
        "-1",
        "1000001",
        "4294967297",
        "9223372036854775808",
        "18446744073709551616",
        "1.5",
        "1.0",
        "1e2",
        "1e309",
        "-1e309",
        "99999999999999999999999999999999999999999999999999",
    ];
    for quantity in refused {
        let problem = line(&shop, quantity, "1").await.fault(422, "items[0].quantity");
        let message = problem["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("1 to 1000000"), "{message}");
    }
    for quantity in ["\"1\"", "null", "true", "[]", "{}"] {
        line(&shop, quantity, "1").await.fault(400, "items[0].quantity");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices() {
    let shop = Shop::open().await;
    for taken in ["0.01", "\"0.01\"", "1e0", "10000000000000.00", "1.10000"] {
        line(&shop, "1", taken).await.expect(201);
    }
    let refused = [
        "0",
        "0.00",
        "-1",
        "-0.01",
        "0.001",
        "1e-3",
        "10000000000000.01",
        "1e309",
        "1e99999999999",
        "\"NaN\"",
        "\"Infinity\"",
        "\"\"",
        "\" 1\"",
        "\"1,5\"",
        "\"0x10\"",
        "\"1\\u0000\"",
    ];
    for price in refused {
        line(&shop, "1", price).await.fault(422, "items[0].unit_price");
    }
    for price in ["null", "true", "[1]", "{\"a\": 1}"] {
        line(&shop, "1", price).await.fault(400, "items[0].unit_price");
    }
    line(&shop, "1000000", "10000000000000.00").await.fault(422, "items[0].unit_price");
    let items: Vec<Value> = (0..2)
        .map(|n| json!({"product_id": format!("p{n}"), "quantity": 1, "unit_price": 9e12}))
        .collect();
    let body = with(order("chair", 1), "/items", json!(items));
    shop.post("/orders", &body).await.fault(422, "items");
    let yen = with(order("chair", 1), "/currency", json!("JPY"));
    shop.post("/orders", &yen).await.fault(422, "items[0].unit_price");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn currencies_are_known_ones_and_one_an_order() {
    let shop = Shop::open().await;
    for currency in ["XYZ", "usd", "", "US", "USDT", "💶"] {
        let body = with(order("chair", 1), "/currency", json!(currency));
        shop.post("/orders", &body).await.fault(422, "currency");
    }
    let mixed = with(order("chair", 1), "/items/0/currency", json!("EUR"));
    shop.post("/orders", &mixed).await.fault(422, "items[0].currency");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines() {
    let shop = Shop::open().await;
    let lines = |count: usize| -> Value {
        let line = |n| json!({ "product_id": format!("p{n}"), "quantity": 1, "unit_price": 1 });
        with(order("chair", 1), "/items", (0..count).map(line).collect())
    };
    shop.post("/orders", &lines(100)).await.expect(201);
    for count in [0, 101, 500] {
        shop.post("/orders", &lines(count)).await.fault(422, "items");
    }
    let repeated = with(lines(3), "/items/2/product_id", json!("p0"));
    shop.post("/orders", &repeated).await.fault(422, "items[2].product_id");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts() {
    let shop = Shop::open().await;
    let fields = [
        ("/customer_id", "customer_id", 128),
        ("/items/0/product_id", "items[0].product_id", 64),
        ("/phone", "phone", 32),
        ("/address/street", "address.street", 200),
    ];
    for (pointer, field, max) in fields {
        let base = with(order("chair", 1), "/address", json!({}));
        for taken in ["x".repeat(max), "ü".repeat(max), "'\"<>\\;".to_owned()] {
            let body = with(base.clone(), pointer, json!(taken));
            shop.post("/orders", &body).await.expect(201);
        }
        let refused = ["", " ", "\t", "a\0b", "a\nb", "\u{7f}", "\u{85}", "\u{a0}"];
        let long = ["x".repeat(max + 1), "x".repeat(20_000)];
        for text in refused.iter().map(|text| (*text).to_owned()).chain(long) {
            let body = with(base.clone(), pointer, json!(text));
            shop.post("/orders", &body).await.fault(422, field);
        }
        let body = with(base, pointer, json!(["x"]));
        shop.post("/orders", &body).await.fault(400, field);
    }
    for email in ["ann", "ann@", "@example.com", "a b@example.com", "a@b\r\nBcc: c@d", ""] {
        let body = with(order("chair", 1), "/email", json!(email));
        shop.post("/orders", &body).await.fault(422, "email");
    }
    let misspelt = with(order("chair", 1), "/payment_method", json!("test_decline"));
    let problem = shop.post("/orders", &misspelt).await.fault(422, "payment_method");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("`payment_method`") && detail.contains("test_declined"), "{detail}");
    let priority = with(order("chair", 1), "/priority", json!("overnight"));
    shop.post("/orders", &priority).await.fault(422, "priority");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_at_fault_is_told_at_once() {
    let shop = Shop::open().await;
    let body = json!({
        "payment_method": "", "currency": "XYZ", "email": "no", "priority": "now",
        "items": [{ "product_id": "", "quantity": 0, "unit_price": -1 }],
    });
    let problem = shop.post("/orders", &body).await.problem(422);
    let errors = problem["errors"].as_array().unwrap();
    for field in [
        "customer_id",
        "payment_method",
        "currency",
        "email",
        "priority",
        "items[0].product_id",
        "items[0].quantity",
        "items[0].unit_price",
    ] {
        assert!(errors.iter().any(|error| error["field"] == field), "{field}: {problem}");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_two_forms_do_not_mix() {
    let shop = Shop::open().await;
    let short = json!({ "user_id": 42, "product_id": 1, "quantity": 1, "total_amount": 1 });
    shop.post("/orders", &short).await.expect(201);
    for field in ["product_id", "quantity", "total_amount"] {
        let mixed = with(order("chair", 1), &format!("/{field}"), json!(1));
        shop.post("/orders", &mixed).await.fault(422, field);
        let mut missing = short.clone();
        missing.as_object_mut().unwrap().remove(field);
        shop.post("/orders", &missing).await.problem(422);
    }
    let two = with(order("chair", 1), "/user_id", json!("bob"));
    shop.post("/orders", &two).await.fault(422, "user_id");
    let same = with(order("chair", 1), "/user_id", json!("ann"));
    shop.post("/orders", &same).await.expect(201);
    shop.post("/orders", &json!({})).await.fault(422, "customer_id");
    for field in ["quantity", "total_amount"] {
        let none = with(short.clone(), &format!("/{field}"), json!(0));
        shop.post("/orders", &none).await.fault(422, field);
    }
    shop.close().await;
}

fn padded(bytes: usize) -> Vec<u8> {
    let mut body = order("chair", 1).to_string().into_bytes();
    body.resize(bytes, b' ');
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_have_a_bound_however_they_are_sent() {
    let shop = Shop::open().await;
    shop.post_text("/orders", padded(BODY_BYTES)).await.expect(201);
    shop.post_text("/orders", padded(BODY_BYTES + 1)).await.problem(413);
    let chunked = |bytes: usize| {
        let chunks: Vec<Result<Vec<u8>, std::io::Error>> =
            padded(bytes).chunks(1_000).map(|chunk| Ok(chunk.to_vec())).collect();
        Body::wrap_stream(stream::iter(chunks))
    };
    let placed = shop.post_text("/orders", chunked(BODY_BYTES)).await.expect(201);
    shop.post_text("/orders", chunked(BODY_BYTES + 1)).await.problem(413);
    shop.send_text(Method::PUT, "/inventory/chair", chunked(BODY_BYTES + 1)).await.problem(413);
    // Where no body is wanted none is read beyond the bound either.
    let path = format!("/orders/{}/cancel", id(&placed));
    shop.post_text(&path, padded(BODY_BYTES + 1)).await.problem(413);
    shop.close().await;
}
