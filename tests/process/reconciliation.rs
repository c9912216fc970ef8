//! A shop at rest: its services agree, and its stock is what the orders have left of it.

use super::shop::{Order, ProductStock, Shop, has_left, is_fulfilled};
use ordermill::check::{self, Scope};
use ordermill::key_arg::KeyArg;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an order must not have moved before what differs counts: nobody is at work on it any more.
const SETTLE: Duration = Duration::from_secs(2);

/// Checks that the services agree about every order and product, and that every product's stock is what the
/// orders have left of it.
pub async fn balance(shop: &Shop, initial: &BTreeMap<String, i64>, orders: &[Order]) {
    stock_balances(initial, &shop.stock_rows().await, orders);
    services_agree(shop, orders.len()).await;
}

/// Checks that the services agree about so many orders, and about every product.
pub async fn services_agree(shop: &Shop, orders: usize) {
    let compared =
        check::of_servers(&shop.urls(), &KeyArg::default(), &Scope::all(), SETTLE).await.unwrap();
    let told: Vec<_> = compared.disagreements.iter().map(ToString::to_string).collect();
    assert!(compared.agrees(), "{} disagreements: {told:#?}", told.len());
    assert_eq!(compared.orders, orders as u64, "{compared:?}");
    assert!(compared.not_compared.is_empty(), "{compared:?}");
}

/// Checks the stock alone.
pub fn stock_balances(
    initial: &BTreeMap<String, i64>,
    stock_rows: &BTreeMap<String, ProductStock>,
    orders: &[Order],
) {
    for (product, initial) in initial {
        let shipped = units(orders, product, has_left);
        let reserved = units(orders, product, |order| is_fulfilled(order) && !has_left(order));
        let due = ProductStock {
            available_qty: initial - reserved - shipped,
            reserved_qty: reserved,
            on_hand: initial - shipped,
        };
        assert_eq!(stock_rows[product], due, "of {product} there were {initial}, {shipped} left");
    }
}

/// How many units of a product these orders have in all.
pub fn units(orders: &[Order], product: &str, of: impl Fn(&Order) -> bool) -> i64 {
    let items = orders.iter().filter(|order| of(order)).flat_map(|order| &order.items);
    items.filter(|item| item.product_id == product).map(|item| item.quantity).sum()
}

/// How many orders have each status.
pub fn statuses(orders: &[Order]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    orders.iter().for_each(|order| *counts.entry(order.status.as_str()).or_default() += 1);
    counts
}
