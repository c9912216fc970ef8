//! After the storm: every request is exactly one order, every order has ended as it should, and the records
//! balance.

use super::customers::{CustomerResults, Request, initial};
use super::shop::{Order, Shop};
use super::{reconciliation, setup::Setup};
use reqwest::{Method, StatusCode};
use std::collections::BTreeSet;
use std::time::Duration;

/// The longest that orders may take to come to rest.
const REST_LIMIT: Duration = Duration::from_secs(60);

/// Sends a request again, which must be one order: the same if it was answered before.
async fn again(shop: &Shop, request: &Request) -> String {
    let key = Some(request.key.as_str());
    let answer = shop.ask(Method::POST, "/orders", Some(&request.body), key).await.unwrap();
    assert_eq!(answer.0, StatusCode::CREATED, "{}", answer.1);
    answer.1["order_id"].as_str().unwrap().to_owned()
}

/// Waits until everything rests and checks what can be asked for; the orders.
pub async fn all_is_well(shop: &Shop, results: &CustomerResults) -> Vec<Order> {
    for (request, id) in results.accepted.iter().step_by(10) {
        assert_eq!(&again(shop, request).await, id, "the same request, another order");
    }
    for request in &results.open {
        again(shop, request).await;
    }
    let orders = shop.all_at_rest(REST_LIMIT).await;
    let (accepted, open) = (results.accepted.len(), results.open.len());
    println!("{accepted} orders accepted, {open} requests not answered");
    println!("{:?}", reconciliation::statuses(&orders));
    nothing_is_lost(results, &orders);
    reconciliation::balance(shop, &initial(), &orders).await;
    orders
}

/// Checks that nothing is left to be said, and that nothing was given up.
pub async fn all_messages_were_consumed(setup: &Setup) {
    setup.databases().all_messages_were_consumed().await;
}

/// Every request is exactly one order, and every order that was answered is there.
fn nothing_is_lost(results: &CustomerResults, orders: &[Order]) {
    let known: BTreeSet<_> = orders.iter().map(|order| order.order_id.to_string()).collect();
    let lost: Vec<_> =
        results.accepted.iter().filter(|(_, id)| !known.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "{} accepted orders are lost", lost.len());
    let customers: BTreeSet<_> = orders.iter().map(|order| &order.customer_id).collect();
    assert_eq!(customers.len(), orders.len(), "a request was made into two orders");
    assert_eq!(
        orders.len(),
        results.accepted.len() + results.open.len(),
        "a request was forgotten"
    );
}
