//! Bodies that are no JSON, or not of the right shape: 400, short words, nothing half done.

use super::support::{Shop, order, send};
use reqwest::Method;

#[tokio::test(flavor = "multi_thread")]
async fn malformed_json_is_400() {
    let shop = Shop::open().await;
    let whole = order("chair", 1).to_string();
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "nul",
        "{\"customer_id\":",
        "{'customer_id': 1}",
        "{\"customer_id\": 01}",
        "{\"customer_id\": \"\\ud800\"}",
        "{\"customer_id\": NaN}",
        "{\"customer_id\": \"a\nb\"}",
        "<order/>",
        "customer_id=ann",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    bodies.push(b"{\"customer_id\": \"\xff\"}".to_vec());
    bodies.push(b"\xef\xbb\xbf{}".to_vec());
    bodies.push(format!("{whole} x").into_bytes());
    bodies.push(format!("{whole}{whole}").into_bytes());
    bodies.push([whole.as_bytes(), b"\0"].concat());
    bodies.push([vec![b'['; 30_000], vec![b']'; 30_000]].concat());
    for (open, close) in [("{\"items\":", "}"), ("{\"total_amount\":", "}")] {
        let nested = [vec![b'['; 30_000], vec![b']'; 30_000]].concat();
        bodies.push([open.as_bytes(), &nested, close.as_bytes()].concat());
    }
    bodies.push([b"{\"a\":".repeat(10_000), b"1".to_vec(), b"}".repeat(10_000)].concat());
    for cut in 1..whole.len() {
        bodies.push(whole.as_bytes()[..cut].to_vec());
    }
    for body in bodies {
        shop.post_text("/orders", body).await.problem(400);
    }
    assert_eq!(shop.get("/orders").await.json()["orders"].as_array().unwrap().len(), 0);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_shape_is_400_with_the_field() {
    let shop = Shop::open().await;
    let cases = [
        (r#"{"foo": 1}"#, "foo"),
        (
            r#"{"items": [{"product_id": "a", "quantity": 1, "unit_price": 1, "colour": 1}]}"#,
            "items[0].colour",
        ),
        (r#"{"address": {"planet": "Mars"}}"#, "address.planet"),
        (r#"{"customer_id": "a", "customer_id": "b"}"#, "customer_id"),
        (r#"{"items": [{"product_id": "a", "product_id": "b"}]}"#, "items[0].product_id"),
        (r#"{"items": [{"product_id": "a", "quantity": 1}]}"#, "items[0].unit_price"),
        (r#"{"customer_id": 1.5}"#, "customer_id"),
        (r#"{"customer_id": -1}"#, "customer_id"),
        (r#"{"customer_id": true}"#, "customer_id"),
        (r#"{"customer_id": 99999999999999999999}"#, "customer_id"),
        (r#"{"items": {}}"#, "items"),
        (r#"{"items": "chair"}"#, "items"),
        (r#"{"items": [1]}"#, "items[0]"),
        (r#"{"items": [["a", 1, 1, null]]}"#, "items[0]"),
        (r#"{"address": ["a", "b", "c", "d", "e"]}"#, "address"),
        (r#"{"address": "here"}"#, "address"),
        (r#"{"payment_method": 7}"#, "payment_method"),
        (r#"{"email": {}}"#, "email"),
        ("[]", ""),
        ("null", ""),
        ("7", ""),
        (r#""order""#, ""),
        (r#"["ann", "card", null, [], null, null, null, null, null, null, null, null]"#, ""),
    ];
    for (body, field) in cases {
        let problem = shop.post_text("/orders", body).await.fault(400, field);
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1);
    }
    let long = format!(r#"{{"{}": 1}}"#, "x".repeat(10_000));
    shop.post_text("/orders", long).await.problem(400);
    let long = format!(r#"{{"items": "{}"}}"#, "x".repeat(10_000));
    shop.post_text("/orders", long).await.problem(400);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_json_is_taken_for_json() {
    let shop = Shop::open().await;
    let body = order("chair", 1).to_string();
    for kind in ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "💶"] {
        let request = shop.request(Method::POST, "/orders").header("content-type", kind);
        send(request.body(body.clone())).await.problem(415);
    }
    send(shop.request(Method::POST, "/orders").body(body.clone())).await.problem(415);
    shop.ask("/orders").await.problem(415);
    for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        let request = shop.request(Method::POST, "/orders").header("content-type", kind);
        send(request.body(body.clone())).await.expect(201);
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_bodies_are_read_as_strictly() {
    let shop = Shop::open().await;
    shop.stock("chair", 1).await;
    let cases = [
        (Method::POST, "/inventory", r#"{"product_id": "a"}"#, 400, "available_qty"),
        (
            Method::POST,
            "/inventory",
            r#"{"product_id": "a", "available_qty": -1}"#,
            422,
            "available_qty",
        ),
        (
            Method::POST,
            "/inventory",
            r#"{"product_id": "a", "available_qty": 1.5}"#,
            422,
            "available_qty",
        ),
        (
            Method::POST,
            "/inventory",
            r#"{"product_id": "a", "available_qty": 1000000000001}"#,
            422,
            "available_qty",
        ),
        (
            Method::POST,
            "/inventory",
            r#"{"product_id": "a\u0000", "available_qty": 1}"#,
            422,
            "product_id",
        ),
        (
            Method::POST,
            "/inventory",
            r#"{"product_id": "", "available_qty": 1}"#,
            422,
            "product_id",
        ),
        (
            Method::POST,
            "/inventory",
            r#"{"product_id": "a", "available_qty": 1, "x": 1}"#,
            400,
            "x",
        ),
        (Method::PUT, "/inventory/chair", r#"{"available_qty": "1"}"#, 400, "available_qty"),
        (Method::PUT, "/inventory/chair", r#"{"available_qty": 1e309}"#, 422, "available_qty"),
        (Method::PUT, "/inventory/chair", r#"{"on_hand": 1}"#, 400, "on_hand"),
        (Method::PUT, "/inventory/chair", "{}", 400, "available_qty"),
        (
            Method::POST,
            "/inventory/adjustments",
            r#"{"adjustments": [["chair", 1, "found"]]}"#,
            400,
            "adjustments[0]",
        ),
        (Method::PATCH, "/notifications/x", "{}", 400, "is_read"),
        (Method::PATCH, "/notifications/x", r#"{"is_read": 1}"#, 400, "is_read"),
        (Method::PATCH, "/notifications/x", r#"{"is_read": true, "x": 1}"#, 400, "x"),
        (Method::PATCH, "/notifications/x", "[true]", 400, ""),
        (Method::POST, "/notifications/mark-all-read", r#"{"order_id": "x"}"#, 400, "order_id"),
        (Method::POST, "/notifications/mark-all-read", r#"{"customer": "x"}"#, 400, "customer"),
        (
            Method::POST,
            "/notifications/mark-all-read",
            r#"{"customer_id": ""}"#,
            400,
            "customer_id",
        ),
    ];
    for (method, path, body, status, field) in cases {
        shop.send_text(method, path, body).await.fault(status, field);
    }
    assert_eq!(shop.get("/inventory/chair").await.json()["available_qty"], 1);
    shop.close().await;
}
