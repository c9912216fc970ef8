//! The invariants: orders, stock, messages, the gateway's own ledger, the audit. What must be true at every
//! moment is looked at while things go wrong; the rest when everything is at rest.

use super::script::{CustomerOutcome, Promises};
use ordermill_actors::order::OrderReads;
use ordermill_actors::reconciliation::ProductRecords;
use ordermill_actors::testing::shop::ShopStores;
use ordermill_domain::gateway::EntryStatus;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::inventory::{Reservation, StockRow};
use ordermill_domain::order::{OrderStatus, Saga};
use ordermill_domain::payment::{End, GatewayKey, RefundStatus, State};
use ordermill_domain::reconciliation::{
    Aspect, Disagreement, Span, compare_order, compare_product,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What must hold, whatever goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// O1: what is reserved and what has left is what was there at first; never more, never less.
    Stock,
    /// O2: every accepted order ends in a status that is an end, or is visibly stuck.
    Ends,
    /// O3: at most one capture an order; the gateway holds the total of a fulfilled one, else nothing.
    Money,
    /// M2: a page is shown, and open, only while the order can be paid there.
    Page,
    /// O4: every yes that a customer has heard stays true, and every no was true when it was said.
    Kept,
    /// O5: every event is heard, and has its effect once.
    Once,
    /// O6: a cancelled order holds no stock, no money and no message.
    Undone,
    /// Liveness: once nothing goes wrong any more, everything comes to rest.
    Rest,
    /// Where orders do not compete for stock, every way of the same orders ends the same.
    SameEnd,
    /// The same seed is the same history.
    Same,
    /// Nothing panics.
    Panic,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stock => "O1",
            Self::Ends => "O2",
            Self::Money => "O3",
            Self::Page => "M2",
            Self::Kept => "O4",
            Self::Once => "O5",
            Self::Undone => "O6",
            Self::Rest => "liveness",
            Self::SameEnd => "same end",
            Self::Same => "same seed",
            Self::Panic => "panic",
        })
    }
}

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What does not hold.
    pub rule: Rule,
    /// How it was seen.
    pub what: String,
}

impl Finding {
    /// A finding.
    pub fn new(rule: Rule, what: impl Into<String>) -> Self {
        Self { rule, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// What an order has of everything, by the services' own rows.
pub struct OrderHoldings {
    /// Captures at the gateway.
    pub captures: usize,
    /// Money that the gateway holds, in minor units.
    pub held: i64,
    /// Its stock.
    pub reservation: Option<Reservation>,
}

impl OrderHoldings {
    /// What this order has.
    pub fn of(stores: &ShopStores, order: OrderId) -> Self {
        let (captures, held) = stores.gateway.with(|ledger| {
            let booked = |entry: &&ordermill_domain::gateway::Entry| {
                entry.booking.as_ref().is_some_and(|booking| booking.order_id == order)
            };
            let captured = ledger.entries().filter(booked).filter(|entry| entry.is_captured());
            captured
                .fold((0, 0), |(captures, held), entry| (captures + 1, held + entry.held_minor()))
        });
        let reservation = stores
            .inventory
            .with(|tables| tables.reservations.get(&order).map(|row| row.reservation.clone()));
        Self { captures, held, reservation }
    }

    fn holds_stock(&self) -> bool {
        matches!(self.reservation, Some(Reservation::Reserved(_) | Reservation::Committed(_)))
    }
}

/// True when customers are told that the order goes well.
fn is_fulfilled(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Completed)
}

/// The refunds of an order's payment that are asked for or done, in minor units.
fn asked_back(stores: &ShopStores, order: OrderId) -> i64 {
    stores.payment.with(|tables| {
        let row = tables.rows().find(|row| row.order_id == order);
        let refunds = row.into_iter().flat_map(|row| row.refunds());
        let counted = refunds.filter(|refund| refund.status != RefundStatus::Refused);
        counted.map(|refund| refund.amount_minor).sum()
    })
}

/// What must be true at any moment.
pub fn check_now(stores: &ShopStores, initial: &[(String, i64)]) -> Vec<Finding> {
    let mut found = Vec::new();
    stock_is_whole(stores, initial, &mut found);
    ledger_is_whole(stores, &mut found);
    ended_payments_are_closed(stores, &mut found);
    let sagas: Vec<Saga> = stores.order.with(|tables| tables.sagas().cloned().collect());
    for saga in sagas {
        let (order, status, total) = (saga.order_id(), saga.status(), saga.details.total_minor);
        let having = OrderHoldings::of(stores, order);
        if having.captures > 1 || having.held < 0 {
            let OrderHoldings { captures, held, .. } = having;
            let what = format!("{order}: {captures} captures, {held} held of {total}");
            found.push(Finding::new(Rule::Money, what));
        }
        // What is on its way back is still called by the name of how far it came.
        if saga.facts.is_failing() || !is_fulfilled(status) {
            continue;
        }
        let refunds = asked_back(stores, order);
        if !(total - refunds..=total).contains(&having.held) {
            let held = having.held;
            let what = format!(
                "{order} is {status:?} and the gateway holds {held} of {total}, less {refunds} at most"
            );
            found.push(Finding::new(Rule::Money, what));
        }
        if !having.holds_stock() {
            let what = format!("{order} is {status:?} and its stock {:?}", having.reservation);
            found.push(Finding::new(Rule::Stock, what));
        }
    }
    found
}

/// What must be true when everything is at rest.
pub async fn check(
    stores: &ShopStores,
    bought: &[CustomerOutcome],
    initial: &[(String, i64)],
) -> Vec<Finding> {
    let mut found = check_now(stores, initial);
    for one in bought {
        match stores.order.order(one.order).await {
            Ok(Some(saga)) => {
                ends(&saga, &mut found);
                if saga.details.total_minor != one.total_minor {
                    let what = format!("{} differs from the placed order: {saga:?}", one.order);
                    found.push(Finding::new(Rule::Kept, what));
                }
                is_kept(&saga, one.promised, &mut found);
                let refused = |what: &String| {
                    Finding::new(Rule::Kept, format!("{}: {what} was rejected", one.order))
                };
                found.extend(one.refused.iter().map(refused));
            }
            Ok(None) | Err(_) => {
                let what = format!("{} was accepted but does not exist", one.order);
                found.push(Finding::new(Rule::Kept, what));
            }
        }
    }
    services_agree(stores, &mut found).await;
    payments_are_settled(stores, &mut found);
    let mut ids: Vec<_> = bought.iter().map(|bought| bought.order).collect();
    ids.sort();
    ids.dedup();
    let all = stores.order.with(|tables| tables.sagas().count());
    if ids.len() != bought.len() || all != bought.len() {
        let what = format!("{} requests created {all} orders", bought.len());
        found.push(Finding::new(Rule::Once, what));
    }
    for letter in stores.dead_letters() {
        found.push(Finding::new(Rule::Once, format!("unexpected dead letter: {letter:?}")));
    }
    found
}

fn ends(saga: &Saga, found: &mut Vec<Finding>) {
    let (order, status) = (saga.order_id(), saga.status());
    if !is_fulfilled(status) && status != OrderStatus::Cancelled {
        found.push(Finding::new(Rule::Ends, format!("{order} is at rest with status {status:?}")));
    }
    if let Some(alarm) = &saga.facts.stuck {
        found.push(Finding::new(Rule::Ends, format!("{order} raised an alarm: {alarm}")));
    }
}

/// What the services say of all orders and products, compared.
async fn services_agree(stores: &ShopStores, found: &mut Vec<Finding>) {
    let sources = stores.sources();
    let page = sources.read(Span::all(u32::MAX)).await.expect("a store in memory can be read");
    for sides in page.orders.values() {
        let order = sides.order.says();
        let is_undone = order.is_some_and(|order| order.status() == OrderStatus::Cancelled);
        let disagreements = compare_order(sides).disagreements.into_iter();
        found.extend(
            disagreements.map(|found| Finding::new(rule(&found, is_undone), found.to_string())),
        );
    }
    let products = stores.inventory.products(None, u32::MAX).await;
    for product in products.expect("a store in memory can be read") {
        let disagreements = compare_product(&product).into_iter();
        found.extend(disagreements.map(|found| Finding::new(Rule::Stock, found.to_string())));
    }
}

/// The law that a disagreement breaks.
fn rule(found: &Disagreement, is_undone: bool) -> Rule {
    match found.aspect {
        Aspect::Audit | Aspect::Notification => Rule::Once,
        Aspect::UnknownOrder | Aspect::Unreadable => Rule::Kept,
        _ if is_undone => Rule::Undone,
        Aspect::Reservation | Aspect::ReservedStock | Aspect::Movements => Rule::Stock,
        Aspect::Payment | Aspect::Ledger => Rule::Money,
        Aspect::Shipment => Rule::Ends,
    }
}

/// What customers were told will be so is so.
fn is_kept(saga: &Saga, promised: Promises, found: &mut Vec<Finding>) {
    let (order, status) = (saga.order_id(), saga.status());
    let left = matches!(status, OrderStatus::Shipped | OrderStatus::Completed);
    let broken = [
        (promised.cancelled && status != OrderStatus::Cancelled, "its cancelling"),
        (promised.dispatched && !left, "its dispatch"),
        (promised.delivered && status != OrderStatus::Completed, "its delivery"),
    ];
    for (_, what) in broken.into_iter().filter(|(broken, _)| *broken) {
        let what = format!("{order} is {status:?}, though {what} was accepted");
        found.push(Finding::new(Rule::Kept, what));
    }
}

/// M2: nobody can pay at the page of a payment that was declined. (One that has expired did so by the clock of some
/// process; the clocks differ here.)
fn ended_payments_are_closed(stores: &ShopStores, found: &mut Vec<Finding>) {
    let ended: BTreeSet<GatewayKey> = stores.payment.with(|tables| {
        let ended = tables.rows().filter(|row| match &row.payment.state {
            State::Ended { end } => matches!(end, End::Declined { .. }),
            _ => false,
        });
        ended.map(|row| GatewayKey::of(row.order_id)).collect()
    });
    stores.gateway.with(|ledger| {
        let open = ledger
            .entries()
            .filter(|entry| entry.status == EntryStatus::Open && ended.contains(&entry.key));
        for entry in open {
            let what = format!("the payment has ended, and its page can be paid: {entry:?}");
            found.push(Finding::new(Rule::Page, what));
        }
    });
}

/// M4: at rest, the gateway has money of no payment that has ended; M2: and no order shows a page.
fn payments_are_settled(stores: &ShopStores, found: &mut Vec<Finding>) {
    let now = stores.world.now();
    stores.payment.with(|tables| {
        for row in tables.rows() {
            let key = GatewayKey::of(row.order_id);
            let held = stores.gateway.with(|ledger| {
                let mut entries = ledger.entries();
                entries.find(|entry| entry.key == key).map_or(0, |entry| entry.held_minor())
            });
            let is_ended = matches!(row.payment.state, State::Ended { .. });
            if is_ended && held != 0 {
                let what = format!("{}: {held} held of a payment that ended", row.order_id);
                found.push(Finding::new(Rule::Money, what));
            }
        }
    });
    let sagas: Vec<Saga> = stores.order.with(|tables| tables.sagas().cloned().collect());
    for saga in sagas.iter().filter(|saga| saga.payment(now).page.is_some()) {
        let what = format!("{} is at rest and shows a page", saga.order_id());
        found.push(Finding::new(Rule::Page, what));
    }
}

/// Nothing sold that was not there, nothing kept that nobody has a claim on.
fn stock_is_whole(stores: &ShopStores, initial: &[(String, i64)], found: &mut Vec<Finding>) {
    let mut claimed: BTreeMap<ProductId, (i64, i64)> = BTreeMap::new();
    stores.inventory.with(|tables| {
        for row in tables.reservations.values() {
            let (lines, left) = match &row.reservation {
                Reservation::Reserved(lines) => (lines, false),
                Reservation::Committed(lines) => (lines, true),
                Reservation::Released(_) | Reservation::Refused(_) => continue,
            };
            for line in lines.iter() {
                let claim = claimed.entry(line.product_id.clone()).or_default();
                let units = i64::from(line.quantity);
                if left { claim.1 += units } else { claim.0 += units }
            }
        }
        for (product, units) in initial {
            let product = ProductId::from(product.as_str());
            let (reserved, left) = claimed.get(&product).copied().unwrap_or_default();
            let fits = |row: &StockRow| {
                row.on_hand == units - left && row.reserved == reserved && reserved <= row.on_hand
            };
            let row = tables.stock.get(&product);
            if !row.is_some_and(fits) {
                let what = format!(
                    "{product}: initial {units}, reserved {reserved}, left {left}, but {row:?}"
                );
                found.push(Finding::new(Rule::Stock, what));
            }
        }
    });
}

/// Replaying the ledger gives each stock row, at every version that it has had. (Nothing of it is forgotten
/// in the time of a simulation.)
fn ledger_is_whole(stores: &ShopStores, found: &mut Vec<Finding>) {
    stores.inventory.with(|tables| {
        let mut replayed: BTreeMap<&ProductId, (u64, i64, i64)> = BTreeMap::new();
        for row in tables.movements.values() {
            let StockRow { product_id, on_hand, reserved, version } = &*row.stock;
            let before = replayed.insert(product_id, (*version, *on_hand, *reserved));
            let (last, on_hand, reserved) = before.unwrap_or_default();
            if *version != last + 1 || row.before() != (on_hand, reserved) {
                let what = format!("the ledger had {before:?} before {row:?}");
                found.push(Finding::new(Rule::Stock, what));
            }
        }
        for (product, row) in &tables.stock {
            let ledger = replayed.get(product);
            if ledger != Some(&(row.version, row.on_hand, row.reserved)) {
                let what =
                    format!("the ledger of {product} ends at {ledger:?}, its stock is {row:?}");
                found.push(Finding::new(Rule::Stock, what));
            }
        }
    });
}
