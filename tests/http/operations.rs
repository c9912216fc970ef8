//! /health, /ready, /metrics.

use super::support::{Shop, order, send};
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_running_shop_is_healthy_and_ready() {
    let shop = Shop::open().await;
    assert_eq!(shop.get("/health").await.expect(200).json(), json!({ "status": "ok" }));
    let ready = shop.get("/ready").await.expect(200).json();
    assert_eq!((&ready["ready"], &ready["missing"]), (&json!(true), &json!([])));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_the_seeds_names_and_few_series() {
    let shop = Shop::open().await;
    shop.stock("chair", 5).await;
    let placed = shop.place(&order("chair", 1)).await;
    shop.until(&placed, "CONFIRMED").await;
    shop.get("/orders/x").await.problem(400);
    for path in ["/nothing", "/orders/a/b/c", "/%3Cscript%3E"] {
        shop.get(path).await.problem(404);
    }
    send(shop.request(Method::DELETE, "/orders")).await.problem(405);
    send(shop.request(Method::from_bytes(b"BREW").unwrap(), "/orders")).await.problem(405);
    let metrics = shop.get("/metrics").await.expect(200);
    assert!(metrics.header("content-type").starts_with("text/plain"));
    for series in [
        r#"http_requests_total{service="ordermill",method="POST",path="/orders",status="201"} "#,
        r#"http_requests_total{service="ordermill",method="GET",path="/orders/{order_id}",status="200"}"#,
        r#"http_requests_total{service="ordermill",method="GET",path="/orders/{order_id}",status="400"}"#,
        r#"http_requests_total{service="ordermill",method="GET",path="unmatched",status="404"}"#,
        r#"http_requests_total{service="ordermill",method="other",path="/orders",status="405"}"#,
        r#"http_request_duration_seconds_bucket{service="ordermill",method="POST",path="/orders",le="#,
        r#"saga_total{status="COMPLETED"}"#,
        r#"saga_duration_seconds_bucket{status="COMPLETED",le="#,
        "ordermill_log_lines_dropped_total ",
    ] {
        assert!(metrics.text.contains(series), "{series} is not in\n{}", metrics.text);
    }
    for leak in [placed.as_str(), "param0", "BREW", "script", "nothing"] {
        assert!(!metrics.text.contains(leak), "{leak}");
    }
    shop.close().await;
}
