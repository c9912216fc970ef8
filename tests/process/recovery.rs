//! Many orders under way when the process dies: the next one is ready soon, takes them up a few at a time,
//! and every one of them comes to rest.

use super::setup::Setup;
use super::shop::{ProductStock, order};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Orders that are under way. `cargo run --release --example open_sagas` does it with 100,000.
const ORDERS: usize = 5_000;
/// Orders that are placed at a time.
const AT_A_TIME: usize = 50;
/// The longest from the start to `/ready`, in a debug build on a busy machine.
const READY_LIMIT: Duration = Duration::from_secs(10);
/// The longest until every order rests.
const REST_LIMIT: Duration = Duration::from_secs(300);
/// What the process may take of memory at the most, in MiB: orders in memory are bounded, and the stores'
/// caches.
const MEMORY_MAX_MIB: u64 = 400;

/// Places orders that wait for something, and ends the process as a power cut would.
async fn left_under_way(setup: &Setup, status: &str) {
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1_000_000).await;
    let body = order("anna", &[("A", 1)], "credit_card");
    shop.place_all(&vec![body; ORDERS], AT_A_TIME).await;
    let newest = |list: &Value| {
        list["orders"].as_array().unwrap().iter().all(|order| order["status"] == status)
    };
    shop.until_so(REST_LIMIT, "/orders?limit=100", newest).await;
    server.kill9();
}

/// Starts the process again, which takes up what was left: no order has that status any more.
async fn is_taken_up(setup: &Setup, status: &str) {
    let begun = Instant::now();
    let server = setup.start();
    let shop = server.shop();
    shop.until_so(READY_LIMIT, "/ready", |ready| ready["ready"] == true).await;
    let ready = begun.elapsed();
    assert!(ready < READY_LIMIT, "ready only after {ready:?}");
    let none = |list: &Value| list["orders"].as_array().unwrap().is_empty();
    shop.until_so(REST_LIMIT, &format!("/orders?limit=1&status={status}"), none).await;
    let orders = shop.all_at_rest(REST_LIMIT).await;
    assert_eq!(orders.len(), ORDERS);
    let (rested, memory) = (begun.elapsed(), server.memory_peak_mib());
    println!(
        "{ORDERS} were {status}: ready after {ready:.1?}, at rest after {rested:.1?}, {memory} MiB"
    );
    assert!(memory < MEMORY_MAX_MIB, "{memory} MiB for {ORDERS} orders");
    server.terminate().await;
}

async fn payments_of_unknown_outcome_are_taken_up(setup: Setup) {
    left_under_way(&setup.clone().with("PAYMENT_LATENCY", "10m"), "INVENTORY_RESERVED").await;
    is_taken_up(&setup, "INVENTORY_RESERVED").await;
    setup.databases().all_messages_were_consumed().await;
}

async fn parcels_that_fall_due_while_nobody_runs_are_dispatched(setup: Setup) {
    left_under_way(&setup.clone().with("ORDERMILL_DISPATCH_AFTER", "1h"), "CONFIRMED").await;
    assert_eq!(setup.databases().all_orders_are_due().await, ORDERS);
    is_taken_up(&setup.clone().with("ORDERMILL_DISPATCH_AFTER", "1s"), "CONFIRMED").await;
    let server = setup.start();
    let left = 1_000_000 - i64::try_from(ORDERS).unwrap();
    let stock = ProductStock { available_qty: left, reserved_qty: 0, on_hand: left };
    assert_eq!(server.shop().stock_rows().await["A"], stock);
    // What a process has left that is gone is taken over by one that runs.
    setup.databases().all_messages_were_consumed().await;
    server.terminate().await;
}

everywhere! {
    payments_of_unknown_outcome_are_taken_up
    parcels_that_fall_due_while_nobody_runs_are_dispatched
}
