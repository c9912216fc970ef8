//! The verification of a run: every order that was accepted, as the server tells of it afterwards, against what was
//! placed; and whether the services agree about all of it.

use super::load::Placed;
use futures::{StreamExt, TryStreamExt};
use ordermill::check::{self, Scope};
use ordermill::key_arg::KeyArg;
use ordermill_client::{Client, Order};
use ordermill_domain::ids::{OrderId, ProductId};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// Lists that are read side by side.
const LISTS: usize = 8;
/// How long an order must not have moved before what differs counts: everything rests.
const SETTLE: Duration = Duration::from_secs(2);
/// Faults that are told one by one; there may be as many as orders.
const TOLD_MAX: usize = 20;

/// When an order was accepted, by the server's clock, in microseconds.
pub fn created(order: &Order) -> i64 {
    order.created_at.timestamp_micros()
}

/// When an order came to rest. It changes no more after that.
pub fn rested(order: &Order) -> i64 {
    order.updated_at.timestamp_micros()
}

/// Whether an order was confirmed, and rests.
pub fn is_confirmed(order: &Order) -> bool {
    order.status == "CONFIRMED" && order.saga.status == "COMPLETED"
}

/// Whether an order was refused for want of stock, and rests.
pub fn is_sold_out(order: &Order) -> bool {
    let reason = order.failure.as_ref().map(|failure| failure.reason.as_str());
    order.status == "CANCELLED"
        && order.saga.status == "COMPENSATED"
        && reason == Some("insufficient_stock")
}

/// Reads all orders of these customers.
pub async fn read(shop: &Client, customers: Vec<String>) -> anyhow::Result<BTreeMap<Uuid, Order>> {
    let list = async |customer: String| {
        let orders = shop.list("/orders", &[("customer_id", &customer)], usize::MAX).await?;
        anyhow::Ok(orders.entries)
    };
    let lists = futures::stream::iter(customers.into_iter().map(list));
    let lists: Vec<Vec<Order>> = lists.buffer_unordered(LISTS).try_collect().await?;
    Ok(lists.into_iter().flatten().map(|order| (order.order_id, order)).collect())
}

/// What is wrong, in words: one line a fault, but not endlessly many.
#[derive(Default)]
pub struct Faults {
    told: Vec<String>,
    more: usize,
}

impl Faults {
    /// Notes a fault.
    pub fn note(&mut self, what: String) {
        match self.told.len() < TOLD_MAX {
            true => self.told.push(what),
            false => self.more += 1,
        }
    }

    /// All that is told.
    pub fn into_lines(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("and {} more", self.more));
        }
        self.told
    }
}

/// Nothing is lost: each accepted order is there, each order that is there was accepted (or nobody knows, as
/// many as were not answered), and each has ended as `is_well` asks.
pub fn complete(
    placed: &[Placed],
    unanswered: u64,
    orders: &BTreeMap<Uuid, Order>,
    is_well: impl Fn(&Order) -> bool,
    wrong: &mut Faults,
) {
    let mut found = 0;
    for order in placed {
        match orders.get(&order.id) {
            Some(settled) if is_well(settled) => found += 1,
            Some(settled) => {
                found += 1;
                let Order { status, saga, .. } = settled;
                wrong.note(format!("order {}: {status}, saga {}", order.id, saga.status));
            }
            None => wrong.note(format!("order {}: accepted, but not listed", order.id)),
        }
    }
    let strange = orders.len() as u64 - found;
    if strange > unanswered {
        wrong.note(format!(
            "{strange} unexpected orders exist; {unanswered} requests had no response"
        ));
    }
}

/// What the services say of these orders and products, compared. Says how many orders that were.
///
/// # Errors
/// When a server does not answer.
pub async fn services_agree(
    urls: &[String],
    orders: &BTreeMap<Uuid, Order>,
    products: &[String],
    wrong: &mut Faults,
) -> anyhow::Result<u64> {
    let products = products.iter().map(|product| ProductId::from(product.as_str()));
    let scope = Scope::of(orders.keys().copied().map(OrderId), products);
    let outcome = check::of_servers(urls, &KeyArg::from_env(), &scope, SETTLE).await?;
    outcome.disagreements.iter().for_each(|found| wrong.note(found.to_string()));
    for what in &outcome.not_compared {
        wrong.note(format!("{what} are not compared: no given server provides them"));
    }
    let compared = outcome.orders + outcome.under_way + outcome.failed.len() as u64;
    if compared != orders.len() as u64 || outcome.products != scope.products() as u64 {
        wrong.note(format!("only {compared} of {} orders can be compared", orders.len()));
    }
    Ok(outcome.orders)
}

/// How far the server's clock is ahead of ours, in microseconds: an order is made between its request and its
/// answer. Clocks that may be the same are taken to be.
pub fn clock_offset(placed: &[Placed], orders: &BTreeMap<Uuid, Order>) -> i64 {
    let made = placed.iter().filter_map(|order| Some((order, created(orders.get(&order.id)?))));
    let (low, high) = made.fold((i64::MIN, i64::MAX), |(low, high), (order, created)| {
        (low.max(created - order.answered), high.min(created - order.sent))
    });
    match low <= 0 && 0 <= high {
        true => 0,
        false => low.midpoint(high),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn settled(id: u128, status: &str, saga: &str) -> (Uuid, Order) {
        let order_id = Uuid::from_u128(id);
        let order = serde_json::from_value(serde_json::json!({
            "order_id": order_id, "customer_id": "c", "flow": "orchestrated", "status": status,
            "saga": {"status": saga, "step": "DONE"}, "items": [], "total_amount": 1,
            "created_at": "1970-01-01T00:01:00Z", "updated_at": "1970-01-01T00:01:01Z",
        }));
        (order_id, order.unwrap())
    }

    fn placed(id: u128, sent: i64, answered: i64) -> Placed {
        Placed { id: Uuid::from_u128(id), intended: sent, sent, answered }
    }

    fn lines(check: impl FnOnce(&mut Faults)) -> Vec<String> {
        let mut wrong = Faults::default();
        check(&mut wrong);
        wrong.into_lines()
    }

    #[test]
    fn a_lost_order_a_stuck_one_and_a_strange_one_are_noticed() {
        let well = BTreeMap::from([settled(1, "CONFIRMED", "COMPLETED")]);
        let one = [placed(1, 0, 1)];
        let check = |placed: &[Placed], unanswered, orders: &BTreeMap<_, _>| {
            lines(|wrong| complete(placed, unanswered, orders, is_confirmed, wrong))
        };
        assert!(check(&one, 0, &well).is_empty());
        assert!(check(&[placed(2, 0, 1)], 1, &well)[0].contains("accepted, but not listed"));
        assert!(check(&[], 0, &well)[0].contains("unexpected orders"));
        assert!(check(&[], 1, &well).is_empty(), "its response was lost, the order was not");
        let stuck = BTreeMap::from([settled(1, "CONFIRMED", "COMPENSATING")]);
        assert!(check(&one, 0, &stuck)[0].contains("saga COMPENSATING"));
    }

    #[test]
    fn reported_faults_are_bounded() {
        let told = lines(|wrong| (0..100).for_each(|number| wrong.note(number.to_string())));
        assert_eq!((told.len(), told[TOLD_MAX].as_str()), (TOLD_MAX + 1, "and 80 more"));
    }

    #[test]
    fn the_servers_clock_is_ours_unless_it_cannot_be() {
        let orders = BTreeMap::from([settled(1, "CONFIRMED", "COMPLETED")]);
        let offset = |sent, answered| clock_offset(&[placed(1, sent, answered)], &orders);
        assert_eq!(offset(MINUTE - 5, MINUTE + 5), 0);
        assert_eq!(offset(-10, 10), MINUTE, "it is a minute ahead");
        assert_eq!(clock_offset(&[], &orders), 0);
    }
}
