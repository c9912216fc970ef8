//! What customers do: they order, ask again when nobody answers, change their minds, have things sent.

use super::Shared;
use super::chance::Chance;
use super::process::Running;
use ordermill_actors::order::{AskError, OrderReads, Orders, RequestContext};
use ordermill_actors::testing::shop::ShopStores;
use ordermill_domain::gateway::{EntryStatus, Visit};
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Address, OrderDetails};
use ordermill_domain::order::OrderStatus;
use ordermill_domain::payment::{GatewayKey, PaymentRequest, RefundRequest, RefundWhat, Ruling};
use ordermill_domain::shipping::UNDELIVERABLE_POSTAL_CODE;
use ordermill_domain::testing::order_of;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Ways to pay, the common one more often.
const METHODS: [&str; 13] = [
    "credit_card",
    "credit_card",
    "credit_card",
    "test_declined",
    "test_timeout_charged",
    "test_timeout_uncharged",
    "test_slow",
    "test_refund_fails",
    "test_redirect",
    "test_redirect",
    "test_redirect_silent",
    "test_redirect_late",
    "test_review",
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
    /// What it does at a page where it has to pay.
    pub at_page: AtPage,
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

/// What a customer does at a page where it has to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtPage {
    Pays,
    PaysTwice,
    IsDeniedFirst,
    /// Later than it should, and perhaps than it can.
    PaysAfter(Duration),
    Leaves,
}

impl AtPage {
    /// One of them; if the end is to be certain, one that pays.
    pub fn drawn(chance: &Chance, is_certain: bool) -> Self {
        let drawn = chance.below(8);
        let pause = chance.pause(Duration::from_secs(1_200));
        match drawn {
            0..4 => Self::Pays,
            4 => Self::PaysTwice,
            5 => Self::IsDeniedFirst,
            _ if is_certain => Self::Pays,
            6 => Self::PaysAfter(pause),
            _ => Self::Leaves,
        }
    }
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
        let Customer { number, details, scenario, at_page } = customer;
        self.pause(20).await;
        let order = self.place(number, &details).await;
        tokio::spawn(self.clone().pay(order, at_page));
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
                    if self.sim.chance.percent(15) {
                        self.ask_refund(order, &details).await;
                    } else if let Some(action) = self.sim.chance.pick(&deeds) {
                        // Too early, too late, or nobody there: this customer does not insist.
                        self.ask(number, &mut bought, *action).await;
                    }
                }
            }
        }
        bought
    }

    /// What a customer, and someone who rules on reviews, do about a payment.
    async fn pay(self, order: OrderId, at_page: AtPage) {
        let visits: &[Visit] = match at_page {
            AtPage::Pays => &[Visit::Pay],
            AtPage::PaysTwice => &[Visit::Pay, Visit::Pay],
            AtPage::IsDeniedFirst => &[Visit::Decline, Visit::Pay],
            AtPage::PaysAfter(pause) => {
                tokio::time::sleep(pause).await;
                &[Visit::Pay]
            }
            AtPage::Leaves => &[Visit::Leave],
        };
        for visit in visits {
            self.pause(20).await;
            while !self.visit_page(order, *visit).await {
                self.pause(5).await;
            }
        }
    }

    /// True when there is nothing more to do at the page.
    async fn visit_page(&self, order: OrderId, visit: Visit) -> bool {
        let key = GatewayKey::of(order);
        let entry = self
            .stores
            .gateway
            .with(|ledger| ledger.entries().find(|entry| entry.key == key).cloned());
        let Some(entry) = entry else { return false };
        let open: Vec<_> = {
            let processes = self.fleet.lock();
            let running = processes.iter().flatten().filter(|process| process.gate.runs());
            running
                .map(|process| (process.shop.gateway.clone(), process.shop.payments.clone()))
                .collect()
        };
        let Some((gateway, payments)) = self.sim.chance.pick(&open) else { return false };
        if entry.is_in_review() {
            let ruling = PaymentRequest::Review(Ruling::Accept);
            let ruled = tokio::time::timeout(PATIENCE, payments.request(order, ruling)).await;
            self.sim.trace.say(format_args!("{order} is ruled on: {}", matches!(ruled, Ok(Ok(_)))));
            return false;
        }
        match entry.status {
            EntryStatus::Asked => false,
            EntryStatus::Open => {
                let visited = tokio::time::timeout(PATIENCE, gateway.visit(key, visit)).await;
                self.sim
                    .trace
                    .say(format_args!("{order} {visit:?}: {}", matches!(visited, Ok(Ok(_)))));
                matches!(visited, Ok(Ok(_)))
            }
            EntryStatus::Charged
            | EntryStatus::Declined
            | EntryStatus::Cancelled
            | EntryStatus::Refunded => true,
        }
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

    /// Asks for a part of the money, once; too early, too late or too much, it is refused.
    async fn ask_refund(&self, order: OrderId, details: &OrderDetails) {
        let (amount, nth) =
            (1 + self.sim.chance.below(2_000).cast_signed(), self.sim.chance.below(3));
        let payments = {
            let processes = self.fleet.lock();
            let running: Vec<_> =
                processes.iter().flatten().filter(|process| process.gate.runs()).collect();
            self.sim.chance.pick(&running).map(|process| process.shop.payments.clone())
        };
        let Some(payments) = payments else { return };
        let request = PaymentRequest::Refund(RefundRequest {
            refund_id: RefundRequest::id_of(order, &nth.to_string()),
            what: RefundWhat::Amount(amount),
            ordered: details.lines.clone(),
            reason: "one was broken".to_owned(),
        });
        let asked = tokio::time::timeout(PATIENCE, payments.request(order, request)).await;
        self.sim
            .trace
            .say(format_args!("{order}: refund of {amount}: {}", matches!(asked, Ok(Ok(_)))));
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
