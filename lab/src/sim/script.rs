//! What customers do: they order, ask again when nobody answers, change their minds, have things sent.

use super::Shared;
use super::chance::Chance;
use super::process::Running;
use ordermill_actors::order::{AskError, OrderReads, Orders, RequestContext};
use ordermill_actors::testing::shop::ShopStores;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Address, OrderDetails};
use ordermill_domain::order::OrderStatus;
use ordermill_domain::shipping::UNDELIVERABLE_POSTAL_CODE;
use ordermill_domain::testing::order_of;
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

/// How often a customer who waits for a status looks.
const POLL_EVERY: Duration = Duration::from_secs(1);

/// The processes that run now, those that are down as None.
#[derive(Clone, Default)]
pub struct Fleet(Arc<Mutex<Vec<Option<Running>>>>);

impl Fleet {
    /// The processes.
    pub fn lock(&self) -> MutexGuard<'_, Vec<Option<Running>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn entry_process(&self, sim: &Shared) -> Option<Orders> {
        let processes = self.lock();
        let open: Vec<&Running> =
            processes.iter().flatten().filter(|process| process.gate.runs()).collect();
        sim.chance.pick(&open).map(|process| process.shop.orders.clone())
    }
}

/// What a customer was told will be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Promises {
    /// The order is undone.
    pub cancelled: bool,
    /// Its message leaves.
    pub dispatched: bool,
    /// Its delivery is noted.
    pub delivered: bool,
}

/// What one customer has come to.
pub struct CustomerOutcome {
    pub order: OrderId,
    pub total_minor: i64,
    pub promised: Promises,
    /// What was refused to it for a reason that was none.
    pub refused: Vec<String>,
}

/// What is asked of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderAction {
    Cancel,
    Dispatch,
    Deliver,
}

/// What a customer whose order's way is told beforehand may want of it.
const SCENARIOS: [&[OrderAction]; 5] = [
    &[],
    &[],
    &[OrderAction::Cancel],
    &[OrderAction::Dispatch],
    &[OrderAction::Dispatch, OrderAction::Deliver],
];

/// A customer.
pub struct Customer {
    /// Which one.
    pub number: usize,
    /// What it orders.
    pub details: OrderDetails,
    /// What it wants of its order in its time. None: whatever comes to its mind, whenever.
    pub scenario: Option<&'static [OrderAction]>,
}

/// What is ordered: one to three of the products, one to three of each.
pub fn wanted(chance: &Chance, products: &[String]) -> OrderDetails {
    let mut lines: Vec<(&str, u32)> = Vec::new();
    for _ in 0..=chance.below(3) {
        if let Some(product) = chance.pick(products)
            && lines.iter().all(|(known, _)| known != product)
        {
            let quantity = u32::try_from(1 + chance.below(3)).unwrap_or(1);
            lines.push((product, quantity));
        }
    }
    let method = chance.pick(&METHODS).copied().unwrap_or("credit_card");
    let mut details = order_of(&lines, method);
    if chance.percent(8) {
        let postal_code = Some(UNDELIVERABLE_POSTAL_CODE.to_owned());
        details.address = Some(Address { postal_code, ..Address::default() });
    }
    details
}

/// One of the scenarios.
pub fn scenario(chance: &Chance) -> &'static [OrderAction] {
    chance.pick(&SCENARIOS).copied().unwrap_or_default()
}

/// Where customers live.
#[derive(Clone)]
pub struct Customers {
    pub sim: Shared,
    pub fleet: Fleet,
    pub stores: ShopStores,
}

impl Customers {
    /// One customer's way, from the first request to the last.
    pub async fn visit(self, customer: Customer) -> CustomerOutcome {
        let Customer { number, details, scenario } = customer;
        self.pause(20).await;
        let order = self.place(number, &details).await;
        let (total_minor, promised) = (details.total_minor, Promises::default());
        let mut bought = CustomerOutcome { order, total_minor, promised, refused: Vec::new() };
        match scenario {
            Some(scenario) => {
                for action in scenario {
                    self.insist(number, &mut bought, *action).await;
                }
            }
            None => {
                for _ in 0..self.sim.chance.below(4) {
                    self.pause(30).await;
                    let deeds = [
                        OrderAction::Cancel,
                        OrderAction::Dispatch,
                        OrderAction::Dispatch,
                        OrderAction::Deliver,
                    ];
                    if let Some(action) = self.sim.chance.pick(&deeds) {
                        // Too early, too late, or nobody there: this customer does not insist.
                        self.ask(number, &mut bought, *action).await;
                    }
                }
            }
        }
        bought
    }

    async fn pause(&self, longest_secs: u64) {
        tokio::time::sleep(self.sim.chance.pause(Duration::from_secs(longest_secs))).await;
    }

    async fn place(&self, number: usize, details: &OrderDetails) -> OrderId {
        let key = (format!("customer-{number}"), vec![1]);
        loop {
            if let Some(orders) = self.fleet.entry_process(&self.sim) {
                let placing =
                    orders.place(details.clone(), RequestContext::default(), Some(key.clone()));
                match tokio::time::timeout(PATIENCE, placing).await {
                    Ok(Ok(placed)) => {
                        let id = placed.order_id;
                        self.sim.trace.say(format_args!("customer {number} placed {id}"));
                        return id;
                    }
                    Ok(Err(AskError::Unavailable)) | Err(_) => {}
                    Ok(Err(other)) => {
                        self.sim.trace.say(format_args!("customer {number}: {other}"));
                    }
                }
            }
            self.pause(2).await;
        }
    }

    /// Asks once; true when it was accepted.
    async fn ask(&self, number: usize, bought: &mut CustomerOutcome, action: OrderAction) -> bool {
        let Some(orders) = self.fleet.entry_process(&self.sim) else { return false };
        let asked_at = self.statuses(bought.order, 0).await.last().map_or(0, |(row, _)| *row);
        let asking = async {
            match action {
                OrderAction::Cancel => orders.cancel(bought.order).await,
                OrderAction::Dispatch => orders.dispatch(bought.order).await,
                OrderAction::Deliver => orders.deliver(bought.order).await,
            }
        };
        let answer = tokio::time::timeout(PATIENCE, asking).await;
        if let Ok(Err(AskError::Conflict { status, why })) = &answer {
            let since = self.statuses(bought.order, asked_at).await;
            if since.iter().all(|(_, known)| known != status) {
                bought
                    .refused
                    .push(format!("{action:?}: {why}: status is {status:?}, not {since:?}"));
            }
        }
        let status = answer.ok().and_then(Result::ok).map(|asked| asked.status);
        self.sim.trace.say(format_args!("customer {number} requests {action:?}: {status:?}"));
        let accepted = status.is_some();
        match action {
            OrderAction::Cancel => bought.promised.cancelled |= accepted,
            OrderAction::Dispatch => bought.promised.dispatched |= accepted,
            OrderAction::Deliver => bought.promised.delivered |= accepted,
        }
        accepted
    }

    /// The statuses that an order has had, from a row of its history on, with the rows' numbers.
    async fn statuses(&self, order: OrderId, from: u32) -> Vec<(u32, OrderStatus)> {
        let history = self.stores.order.history(&[(order, from)], u32::MAX).await;
        let rows = history.unwrap_or_default();
        rows.into_iter().map(|row| (row.sequence, row.status)).collect()
    }

    /// Asks when the time has come for it, until it is accepted, or has become impossible.
    async fn insist(&self, number: usize, bought: &mut CustomerOutcome, action: OrderAction) {
        loop {
            let saga = self.stores.order.order(bought.order).await.ok().flatten();
            let status = saga.map(|saga| saga.status());
            let timely = match action {
                OrderAction::Cancel | OrderAction::Dispatch => Some(OrderStatus::Confirmed),
                OrderAction::Deliver => Some(OrderStatus::Shipped),
            };
            if status == timely && self.ask(number, bought, action).await {
                return;
            }
            if matches!(status, Some(OrderStatus::Cancelled | OrderStatus::Completed)) {
                return;
            }
            // It left by itself.
            if status == Some(OrderStatus::Shipped) && action != OrderAction::Deliver {
                return;
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
    }
}
