//! What time does to orders: deadlines, and undoings that do not succeed at once.

use super::reconciliation;
use super::setup::Setup;
use super::shop::{ProductStock, failure, order};
use reqwest::StatusCode;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

async fn an_order_that_takes_too_long_is_cancelled(setup: Setup) {
    let setup = setup
        .with("ORDERMILL_ORDER_TIMEOUT", "1s")
        .with("ORDERMILL_STEP_TIMEOUT", "500ms")
        .with("PAYMENT_LATENCY", "2s")
        .with("PAYMENT_TIMEOUT", "200ms");
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 3).await;
    let id = shop.place(&order("customer", &[("A", 2)], "credit_card")).await;
    let late = shop.until(&id, PATIENCE, |order| order.failure.is_some()).await;
    assert!(failure(&late).ends_with("deadline_exceeded"), "{late:#?}");
    // The gateway answers nobody in time here; it is asked until it does.
    let server = {
        server.terminate().await;
        setup.clone().with("PAYMENT_LATENCY", "0ms").start()
    };
    let shop = server.shop();
    let orders = shop.all_at_rest(PATIENCE).await;
    assert_eq!(orders[0].status, "CANCELLED");
    let free = ProductStock { available_qty: 3, reserved_qty: 0, on_hand: 3 };
    assert_eq!(shop.stock_rows().await["A"], free);
    // What a process has left that is gone is taken over by one that runs.
    setup.databases().all_messages_were_consumed().await;
    reconciliation::services_agree(&shop, 1).await;
    server.terminate().await;
}

async fn an_undoing_that_keeps_failing_is_shown_and_can_be_retried(setup: Setup) {
    let setup =
        setup.with("ORDERMILL_COMPENSATION_TIMEOUT", "200ms").with("ORDERMILL_STEP_TIMEOUT", "1s");
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1).await;
    let id = shop.place(&order("customer", &[("A", 1)], "test_refund_fails")).await;
    shop.until(&id, PATIENCE, |order| order.status == "CONFIRMED").await;
    assert_eq!(shop.post(&format!("/orders/{id}/cancel")).await.0, StatusCode::ACCEPTED);
    shop.until(&id, PATIENCE, |order| order.saga.status == "FAILED").await;
    let failed = shop.get("/admin/sagas?status=FAILED").await;
    assert_eq!(failed["sagas"][0]["saga_id"], id.as_str(), "{failed}");

    let retried = shop.post(&format!("/admin/sagas/{id}/retry")).await;
    assert_eq!(retried.0, StatusCode::ACCEPTED, "{}", retried.1);
    let order = shop.until(&id, PATIENCE, |order| order.is_at_rest()).await;
    assert_eq!((order.status.as_str(), order.saga.status.as_str()), ("CANCELLED", "COMPENSATED"));
    let failed = shop.get("/admin/sagas?status=FAILED").await;
    assert_eq!(failed["sagas"].as_array().unwrap().len(), 0, "{failed}");
    // What a process has left that is gone is taken over by one that runs.
    setup.databases().all_messages_were_consumed().await;
    reconciliation::services_agree(&shop, 1).await;
    server.terminate().await;
}

everywhere! {
    an_order_that_takes_too_long_is_cancelled
    an_undoing_that_keeps_failing_is_shown_and_can_be_retried
}
