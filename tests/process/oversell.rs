//! More is wanted than there is: exactly what is there is sold, at any speed.

use super::processes::Processes;
use super::random::Random;
use super::reconciliation::{self, statuses, units};
use super::setup::Setup;
use super::shop::{Order, ProductStock, Shop, failure, is_fulfilled, order};
use super::watcher::Watcher;
use futures::stream::{self, StreamExt};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The longest that a test's orders may take to come to rest.
const REST_LIMIT: Duration = Duration::from_secs(40);
/// Six products, each with about a third of the units that are wanted.
const PRODUCTS: [&str; 6] = ["P1", "P2", "P3", "P4", "P5", "P6"];
const UNITS_OF_EACH: i64 = 60;
const ORDERS: usize = 200;

/// Processes on the same place, and what there is to buy at all their servers.
async fn stocked(
    setup: &Setup,
    processes: usize,
    stock: &[(&str, i64)],
) -> (Processes, Shop, BTreeMap<String, i64>) {
    let crew = Processes::alike(setup, processes);
    let shop = crew.shop();
    for (product, quantity) in stock {
        shop.stock(product, *quantity).await;
    }
    let initial = stock.iter().map(|(product, units)| ((*product).to_owned(), *units)).collect();
    (crew, shop, initial)
}

/// Checks that each refusal names what was short, and that it was.
fn refusals_are_justified(orders: &[Order]) {
    for order in orders.iter().filter(|order| order.status == "CANCELLED") {
        let failure = order.failure.as_ref().unwrap();
        if failure.step != "inventory" {
            continue;
        }
        assert_eq!(failure.reason, "insufficient_stock", "{order:#?}");
        assert!(!failure.shortages.is_empty(), "{order:#?}");
        for short in &failure.shortages {
            let item = order.items.iter().find(|item| item.product_id == short.product_id);
            assert_eq!(item.map(|item| item.quantity), Some(short.requested), "{order:#?}");
            let available = short.available.unwrap();
            assert!((0..short.requested).contains(&available), "{order:#?}");
        }
    }
}

/// So many customers, each for one unit of the same product, all at once.
async fn run_on_one(setup: Setup, processes: usize, customers: usize, stock: i64) {
    let (crew, shop, initial) = stocked(&setup, processes, &[("LAST", stock)]).await;
    let watcher = Watcher::start(&shop, &initial, false);
    let wanted: Vec<Value> = (0..customers)
        .map(|number| order(&format!("buyer-{number}"), &[("LAST", 1)], "credit_card"))
        .collect();
    shop.place_all(&wanted, customers.min(100)).await;
    let orders = shop.all_at_rest(REST_LIMIT).await;
    let looks = watcher.stop().await;
    println!("{customers} buyers of {stock} units, {looks} looks: {:?}", statuses(&orders));
    let refused = customers - stock as usize;
    let expected = BTreeMap::from([("CANCELLED", refused), ("CONFIRMED", stock as usize)]);
    assert_eq!(statuses(&orders), expected);
    refusals_are_justified(&orders);
    let full = orders
        .iter()
        .filter_map(|order| order.failure.as_ref())
        .all(|failure| failure.step == "inventory" && failure.shortages[0].available == Some(0));
    assert!(full, "somebody was refused while there was a unit");
    reconciliation::balance(&shop, &initial, &orders).await;
    crew.terminate().await;
}

async fn fifty_orders_on_ten_units_are_ten_sales(setup: Setup) {
    run_on_one(setup, 1, 50, 10).await;
}

async fn two_thousand_buyers_of_the_last_unit_are_one_sale(setup: Setup) {
    run_on_one(setup, 1, 2_000, 1).await;
}

/// Orders of three products each, in any order, one to three units of each.
fn multi_line_orders(seed: u64) -> Vec<Value> {
    let mut random = Random(seed);
    let order = |number| {
        let mut products = PRODUCTS;
        random.shuffle(&mut products);
        let lines: Vec<_> =
            products[..3].iter().map(|product| (*product, random.within(1, 4))).collect();
        order(&format!("buyer-{number}"), &lines, "credit_card")
    };
    (0..ORDERS).map(order).collect()
}

/// With nothing else going wrong, a refused order does not fit into what is left.
fn refusals_are_justified_by_the_stock(orders: &[Order], left: &BTreeMap<String, ProductStock>) {
    for order in orders.iter().filter(|order| order.status == "CANCELLED") {
        let fits =
            order.items.iter().all(|item| item.quantity <= left[&item.product_id].available_qty);
        assert!(!fits, "{left:#?} is left, but this was refused: {order:#?}");
    }
}

async fn orders_of_three_lines(setup: Setup, processes: usize, plan: &str, seed: u64) {
    let setup = setup.with("ORDERMILL_PLAN", plan);
    let stock = PRODUCTS.map(|product| (product, UNITS_OF_EACH));
    let (crew, shop, initial) = stocked(&setup, processes, &stock).await;
    let watcher = Watcher::start(&shop, &initial, false);
    shop.place_all(&multi_line_orders(seed), 50).await;
    let orders = shop.all_at_rest(REST_LIMIT).await;
    let looks = watcher.stop().await;
    println!("{plan}: {looks} looks, {:?}", statuses(&orders));
    assert_eq!(orders.len(), ORDERS);
    assert!(statuses(&orders).len() == 2, "there is too little for all, and enough for some");
    refusals_are_justified(&orders);
    refusals_are_justified_by_the_stock(&orders, &shop.stock_rows().await);
    reconciliation::balance(&shop, &initial, &orders).await;
    crew.terminate().await;
    setup.databases().all_messages_were_consumed().await;
}

async fn orders_of_three_lines_reserve_first(setup: Setup) {
    orders_of_three_lines(setup, 1, "reserve-first", 0x0BA5).await;
}

async fn orders_of_three_lines_payment_first(setup: Setup) {
    orders_of_three_lines(setup, 1, "payment-first", 0x0BA6).await;
}

/// The same while a fifth of the payments fail and a fourth of the customers change their mind.
async fn multi_line_orders_under_failures(setup: Setup, processes: usize, plan: &str, seed: u64) {
    let setup = setup.with("ORDERMILL_PLAN", plan).with("PAYMENT_FAILURE_RATE", "0.2");
    let stock = PRODUCTS.map(|product| (product, UNITS_OF_EACH));
    let (crew, shop, initial) = stocked(&setup, processes, &stock).await;
    let watcher = Watcher::start(&shop, &initial, false);
    let mut random = Random(seed);
    let wanted: Vec<_> =
        multi_line_orders(seed).into_iter().map(|order| (order, random.percent(25))).collect();
    let one = |(order, regrets): (Value, bool)| {
        let shop = shop.clone();
        async move {
            let id = shop.place(&order).await;
            if regrets {
                let path = format!("/orders/{id}/cancel");
                shop.ask(Method::POST, &path, None, None).await.unwrap();
            }
        }
    };
    stream::iter(wanted).map(one).buffer_unordered(50).collect::<Vec<_>>().await;
    let orders = shop.all_at_rest(REST_LIMIT).await;
    let looks = watcher.stop().await;
    let mut causes: BTreeMap<String, usize> = BTreeMap::new();
    orders.iter().for_each(|order| *causes.entry(failure(order)).or_default() += 1);
    println!("{plan} in trouble: {looks} looks, {causes:?}");
    refusals_are_justified(&orders);
    for product in PRODUCTS {
        let sold = units(&orders, product, is_fulfilled);
        assert!(sold <= UNITS_OF_EACH, "{sold} units of {product} were sold");
    }
    reconciliation::balance(&shop, &initial, &orders).await;
    crew.terminate().await;
    setup.databases().all_messages_were_consumed().await;
}

async fn failed_payments_and_cancels_lose_no_unit_reserve_first(setup: Setup) {
    multi_line_orders_under_failures(setup, 1, "reserve-first", 0x0BA7).await;
}

async fn failed_payments_and_cancels_lose_no_unit_payment_first(setup: Setup) {
    multi_line_orders_under_failures(setup, 1, "payment-first", 0x0BA8).await;
}

async fn fifty_orders_on_ten_units_by_three_processes(setup: Setup) {
    run_on_one(setup, 3, 50, 10).await;
}

async fn two_thousand_buyers_of_the_last_unit_by_three_processes(setup: Setup) {
    run_on_one(setup, 3, 2_000, 1).await;
}

async fn failed_payments_and_cancels_lose_no_unit_by_three_processes(setup: Setup) {
    multi_line_orders_under_failures(setup, 3, "reserve-first", 0x0BA9).await;
}

async fn a_chain_of_events_loses_no_unit_by_three_processes(setup: Setup) {
    let setup = setup.with("ORDERMILL_FLOW", "choreographed");
    multi_line_orders_under_failures(setup, 3, "payment-first", 0x0BAA).await;
}

async fn confirmed_orders_leave_by_themselves(setup: Setup) {
    let setup = setup.with("ORDERMILL_DISPATCH_AFTER", "200ms");
    let (crew, shop, initial) = stocked(&setup, 1, &[("LEAVES", 10)]).await;
    let watcher = Watcher::start(&shop, &initial, true);
    let wanted: Vec<Value> =
        (0..15).map(|number| order(&format!("buyer-{number}"), &[("LEAVES", 1)], "card")).collect();
    let ids = shop.place_all(&wanted, 15).await;
    for id in &ids {
        let left = |order: &Order| order.is_at_rest() && order.status != "CONFIRMED";
        shop.until(id, REST_LIMIT, left).await;
    }
    let orders = shop.all_at_rest(REST_LIMIT).await;
    watcher.stop().await;
    assert_eq!(statuses(&orders), BTreeMap::from([("CANCELLED", 5), ("SHIPPED", 10)]));
    reconciliation::balance(&shop, &initial, &orders).await;
    assert_eq!(shop.stock_rows().await["LEAVES"].on_hand, 0);
    crew.terminate().await;
    setup.databases().all_messages_were_consumed().await;
}

everywhere! {
    fifty_orders_on_ten_units_are_ten_sales
    two_thousand_buyers_of_the_last_unit_are_one_sale
    orders_of_three_lines_reserve_first
    orders_of_three_lines_payment_first
    failed_payments_and_cancels_lose_no_unit_reserve_first
    failed_payments_and_cancels_lose_no_unit_payment_first
    confirmed_orders_leave_by_themselves;
    fifty_orders_on_ten_units_by_three_processes
    two_thousand_buyers_of_the_last_unit_by_three_processes
    failed_payments_and_cancels_lose_no_unit_by_three_processes
    a_chain_of_events_loses_no_unit_by_three_processes
}
