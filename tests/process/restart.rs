//! Actors that an operator ends while orders are under way: their supervisors start them again.

use super::reconciliation;
use super::setup::Setup;
use super::shop::{Shop, order};
use reqwest::StatusCode;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// One of each kind of part.
const PARTS: [&str; 8] = [
    "order/journal",
    "inventory/relay",
    "order.events",
    "payment.commands",
    "order/relay",
    "payment/journal",
    "sagas",
    "skus",
];

fn restarts(actors: &Value, name: &str) -> Option<u64> {
    actors.as_array()?.iter().find_map(|actor| match actor["name"] == name {
        true => actor["restarts"].as_u64(),
        false => restarts(&actor["children"], name),
    })
}

async fn end(shop: &Shop, name: &str) {
    let path = format!("/admin/actors/{}/restart", name.replace('/', "%2F"));
    let (status, body) = shop.post(&path).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{name}: {body}");
}

async fn parts_that_are_ended_under_load_lose_nothing(setup: Setup) {
    let setup = setup.with("ORDERMILL_STEP_TIMEOUT", "1s");
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1_000_000).await;
    shop.stock("B", 200).await;
    let wanted: Vec<Value> = (0..600)
        .map(|number| order(&format!("buyer-{number}"), &[("A", 1), ("B", 1)], "credit_card"))
        .collect();
    let trouble = async {
        for part in PARTS {
            tokio::time::sleep(Duration::from_millis(150)).await;
            end(&shop, part).await;
        }
    };
    let (accepted, ()) = tokio::join!(shop.place_all(&wanted, 20), trouble);
    let orders = shop.all_at_rest(Duration::from_secs(40)).await;
    println!("{:?}", reconciliation::statuses(&orders));
    for id in &accepted {
        assert!(orders.iter().any(|order| order.order_id.to_string() == *id), "{id} is lost");
    }
    assert_eq!(reconciliation::statuses(&orders)["CONFIRMED"], 200);
    let initial = BTreeMap::from([("A".to_owned(), 1_000_000), ("B".to_owned(), 200)]);
    reconciliation::balance(&shop, &initial, &orders).await;
    let actors = shop.get("/admin/actors").await["actors"].clone();
    for part in PARTS {
        assert!(restarts(&actors, part).is_some_and(|times| times > 0), "{part} did not restart");
    }
    // What a process has left that is gone is taken over by one that runs.
    setup.databases().all_messages_were_consumed().await;
    server.terminate().await;
}

#[tokio::test]
async fn an_actor_that_does_not_exist_is_not_found() {
    let server = Setup::embedded().start();
    let (status, _) = server.shop().post("/admin/actors/order%2Fjournals/restart").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    server.terminate().await;
}

everywhere! { parts_that_are_ended_under_load_lose_nothing }

/// The list of payment methods is for new orders: one whose payment is still open is paid as it was placed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_paid_by_a_method_that_was_taken_off_the_list_meanwhile() {
    let setup = Setup::embedded();
    let server = setup.start();
    let shop = server.shop();
    shop.stock("A", 1).await;
    let id = shop.place(&order("customer", &[("A", 1)], "test_timeout_charged")).await;
    server.kill9();
    let server = setup.with("ORDERMILL_PAYMENT_METHODS", "credit_card").start();
    server.shop().until(&id, Duration::from_secs(60), |order| order.status == "CONFIRMED").await;
    server.terminate().await;
}
