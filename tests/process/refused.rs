//! Writes that the database refuses for good: the request is told so at once, and why. It is not invited to
//! try again, and nobody else notices.

use super::setup::Setup;
use super::shop::order;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A request waits five seconds for its commit, and is then told that nobody knows. This is sooner.
const AT_ONCE: Duration = Duration::from_secs(4);
/// The longest that an order may take here.
const PATIENCE: Duration = Duration::from_secs(30);

/// Checks that this is a 500 that says what the database says.
fn is_final((status, body): &(StatusCode, Value)) {
    assert_eq!(*status, StatusCode::INTERNAL_SERVER_ERROR, "{body}");
    let detail = body["detail"].as_str().unwrap();
    for word in ["rejects", "refused_by_test", "retrying does not help"] {
        assert!(detail.contains(word), "`{word}` is not in: {detail}");
    }
}

async fn a_permanent_write_failure_is_reported_with_its_cause(setup: Setup) {
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 100).await;
    setup.databases().refuses("order", "orders", "customer_id", "doomed").await;
    setup.databases().refuses("inventory", "stock", "product_id", "doomed").await;

    let doomed = order("doomed", &[("A", 1)], "credit_card");
    let sound = order("anna", &[("A", 1)], "credit_card");
    let place = |order, key| shop.once(Method::POST, "/orders", Some(order), key);
    let begun = Instant::now();
    // At the same time: some of them share a batch.
    let (first, second, third) =
        tokio::join!(place(&doomed, None), place(&sound, None), place(&doomed, Some("key")));
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    is_final(&first.unwrap());
    is_final(&third.unwrap());
    is_final(&place(&doomed, Some("key")).await.unwrap());
    let (status, placed) = second.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{placed}");
    let id = placed["order_id"].as_str().unwrap();
    shop.until(id, PATIENCE, |order| order.status == "CONFIRMED").await;

    let stock = json!({"product_id": "doomed", "available_qty": 1});
    is_final(&shop.once(Method::POST, "/inventory", Some(&stock), None).await.unwrap());
    server.terminate().await;
}

everywhere! { a_permanent_write_failure_is_reported_with_its_cause }
