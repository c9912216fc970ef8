//! A restart with the other flow: what was begun in one is finished in it.

use super::reconciliation;
use super::setup::Setup;
use super::shop::order;
use reqwest::StatusCode;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest that orders may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(40);
/// Orders of each kind.
const OF_EACH: usize = 20;

fn orders(customer: &str, method: &str) -> Vec<Value> {
    let order = |number| order(&format!("{customer}-{number}"), &[("A", 1)], method);
    (0..OF_EACH).map(order).collect()
}

async fn changes(setup: Setup, from: &str, to: &str) {
    let setup = setup.with("ORDERMILL_STEP_TIMEOUT", "2s");
    let server = setup.clone().with("ORDERMILL_FLOW", from).start();
    let shop = server.shop();
    shop.stock("A", 1_000).await;
    let early = shop.place_all(&orders("early", "credit_card"), OF_EACH).await;
    shop.all_at_rest(PATIENCE).await;
    // The gateway takes two seconds: these stand in the middle when the power goes.
    let begun = shop.place_all(&orders("begun", "test_slow"), OF_EACH).await;
    server.kill9();

    let server = setup.clone().with("ORDERMILL_FLOW", to).start();
    let shop = server.shop();
    let late = shop.place_all(&orders("late", "credit_card"), OF_EACH).await;
    for (index, id) in early.iter().enumerate() {
        let request = if index % 2 == 0 { "cancel" } else { "dispatch" };
        let (status, body) = shop.post(&format!("/orders/{id}/{request}")).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    }
    let orders = shop.all_at_rest(PATIENCE).await;
    assert_eq!(orders.len(), 3 * OF_EACH);
    for order in &orders {
        let id = order.order_id.to_string();
        let flow = if late.contains(&id) { to } else { from };
        assert_eq!(order.flow, flow, "{order:#?}");
        if begun.contains(&id) || late.contains(&id) {
            assert_eq!(order.status, "CONFIRMED", "{order:#?}");
        }
    }
    let expected = BTreeMap::from([
        ("CANCELLED", OF_EACH / 2),
        ("CONFIRMED", 2 * OF_EACH),
        ("SHIPPED", OF_EACH / 2),
    ]);
    assert_eq!(reconciliation::statuses(&orders), expected);
    reconciliation::balance(&shop, &BTreeMap::from([("A".to_owned(), 1_000)]), &orders).await;
    // What a process has left that is gone is taken over by one that runs.
    setup.databases().all_messages_were_consumed().await;
    server.terminate().await;
}

async fn orchestrated_orders_stay_orchestrated(setup: Setup) {
    changes(setup, "orchestrated", "choreographed").await;
}

async fn choreographed_orders_stay_choreographed(setup: Setup) {
    changes(setup, "choreographed", "orchestrated").await;
}

everywhere! {
    orchestrated_orders_stay_orchestrated
    choreographed_orders_stay_choreographed
}
