//! The books of a shop at rest: stock and money against what became of the orders.

use super::shop::{Order, Shelf, Shop, cents};
use std::collections::BTreeMap;

/// Checks that every product's stock is what the orders have left of it, and that every order costs
/// what it should: its total if it is fulfilled, otherwise nothing.
pub async fn balance(shop: &Shop, initial: &BTreeMap<String, i64>, orders: &[Order]) {
    stock_balances(initial, &shop.shelves().await, orders);
    let payments = shop.payments(orders).await;
    for order in orders {
        let paid = payments[&order.order_id];
        let total = cents(order.total_amount);
        let owed = if order.is_fulfilled() { total } else { 0 };
        assert_eq!(paid.captured - paid.refunded, owed, "{paid:?} for {order:#?}");
        assert!(paid.captured <= total, "charged more than once: {paid:?} for {order:#?}");
    }
}

/// Checks the stock alone.
pub fn stock_balances(
    initial: &BTreeMap<String, i64>,
    shelves: &BTreeMap<String, Shelf>,
    orders: &[Order],
) {
    for (product, initial) in initial {
        let shipped = units(orders, product, Order::has_left);
        let reserved = units(orders, product, |order| order.is_fulfilled() && !order.has_left());
        let due = Shelf {
            available_qty: initial - reserved - shipped,
            reserved_qty: reserved,
            on_hand: initial - shipped,
        };
        assert_eq!(shelves[product], due, "of {product} there were {initial}, {shipped} left");
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
