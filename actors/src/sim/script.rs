//! What customers do: they order, ask again when nobody answers, change their minds, have things sent.

use super::Shared;
use super::process::Running;
use crate::ids::OrderId;
use crate::messages::{Address, OrderDetails};
use crate::order::{AskError, Orders, RequestContext};
use crate::shipping::UNDELIVERABLE_POSTAL_CODE;
use crate::testing::shop::order_of;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Ways to pay, the common one more often.
const METHODS: [&str; 8] = [
    "credit_card",
    "credit_card",
    "credit_card",
    "test_declined",
    "test_timeout_charged",
    "test_timeout_uncharged",
    "test_slow",
    "test_refund_fails",
];

/// A customer's patience with one answer, a little above the server's own.
const PATIENCE: Duration = Duration::from_secs(6);

/// The processes that run now, those that are down as None.
#[derive(Clone, Default)]
pub struct Fleet(Arc<Mutex<Vec<Option<Running>>>>);

impl Fleet {
    /// The processes.
    pub fn lock(&self) -> MutexGuard<'_, Vec<Option<Running>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn door(&self, sim: &Shared) -> Option<Orders> {
        let processes = self.lock();
        let open: Vec<&Running> =
            processes.iter().flatten().filter(|process| process.life.runs()).collect();
        sim.chance.pick(&open).map(|process| process.shop.orders.clone())
    }
}

/// What one customer has come to.
pub struct Bought {
    pub order: OrderId,
    pub total_minor: i64,
}

/// What is ordered: one to three of the products, one to three of each.
pub fn wanted(sim: &Shared, products: &[String]) -> OrderDetails {
    let mut lines: Vec<(&str, u32)> = Vec::new();
    for _ in 0..=sim.chance.below(3) {
        if let Some(product) = sim.chance.pick(products)
            && lines.iter().all(|(known, _)| known != product)
        {
            let quantity = u32::try_from(1 + sim.chance.below(3)).unwrap_or(1);
            lines.push((product, quantity));
        }
    }
    let method = sim.chance.pick(&METHODS).copied().unwrap_or("credit_card");
    let mut details = order_of(&lines, method);
    if sim.chance.percent(8) {
        let postal_code = Some(UNDELIVERABLE_POSTAL_CODE.to_owned());
        details.address = Some(Address { postal_code, ..Address::default() });
    }
    details
}

/// One customer's story.
pub async fn customer(sim: Shared, fleet: Fleet, number: usize, details: OrderDetails) -> Bought {
    let pause = |longest: u64| tokio::time::sleep(sim.chance.pause(Duration::from_secs(longest)));
    pause(20).await;
    let order = place(&sim, &fleet, number, &details).await;
    let bought = Bought { order, total_minor: details.total_minor };
    for _ in 0..sim.chance.below(4) {
        pause(30).await;
        let what = sim.chance.below(4);
        let Some(orders) = fleet.door(&sim) else { continue };
        let asking = async {
            match what {
                0 => orders.cancel(order).await,
                1 | 2 => orders.dispatch(order).await,
                _ => orders.deliver(order).await,
            }
        };
        // Too early, too late, or nobody there: the customer does not insist.
        let answer = tokio::time::timeout(PATIENCE, asking).await;
        let status = answer.ok().and_then(Result::ok).map(|asked| asked.status);
        sim.trace.say(format_args!("customer {number} asks {what}: {status:?}"));
    }
    bought
}

async fn place(sim: &Shared, fleet: &Fleet, number: usize, details: &OrderDetails) -> OrderId {
    let key = (format!("customer-{number}"), vec![1]);
    loop {
        if let Some(orders) = fleet.door(sim) {
            let placing =
                orders.place(details.clone(), RequestContext::default(), Some(key.clone()));
            match tokio::time::timeout(PATIENCE, placing).await {
                Ok(Ok(placed)) => {
                    sim.trace.say(format_args!("customer {number} has {}", placed.order_id));
                    return placed.order_id;
                }
                Ok(Err(AskError::Unavailable)) | Err(_) => {}
                Ok(Err(other)) => sim.trace.say(format_args!("customer {number}: {other}")),
            }
        }
        tokio::time::sleep(sim.chance.pause(Duration::from_secs(2))).await;
    }
}
