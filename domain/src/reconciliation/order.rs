//! An order at rest: what every other service must say, given what the order service says.

use super::disagreement::{Aspect, Disagreement, Statement, Subject};
use super::events;
use super::records::{
    AuditRecord, LedgerEntry, LedgerRecord, NotificationRecord, OrderRecord, PaymentRecord,
    ReservationRecord, ReservationState, ShipmentRecord,
};
use crate::ids::OrderId;
use crate::messages::{Kind, StockLine};
use crate::money::Money;
use crate::order::{OrderStatus, SagaStatus};
use crate::payment::{PaymentStatus, Provider};
use crate::shipping::ShipmentStatus;

/// One service's record of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Side<T> {
    /// It was not asked.
    #[default]
    NotAsked,
    /// It has heard nothing of the order.
    Nothing,
    /// It says this.
    Says(T),
    /// The stored record cannot be read.
    Unreadable(String),
}

impl<T> Side<T> {
    /// The record, if there is one.
    pub const fn says(&self) -> Option<&T> {
        match self {
            Self::Says(record) => Some(record),
            Self::NotAsked | Self::Nothing | Self::Unreadable(_) => None,
        }
    }

    /// The record to compare, or that there is none. The outer None: it is not known.
    const fn known(&self) -> Option<Option<&T>> {
        match self {
            Self::Nothing => Some(None),
            Self::Says(record) => Some(Some(record)),
            Self::NotAsked | Self::Unreadable(_) => None,
        }
    }
}

/// The records of all services of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSides {
    /// The order.
    pub order_id: OrderId,
    /// The order service.
    pub order: Side<OrderRecord>,
    /// The inventory service.
    pub reservation: Side<ReservationRecord>,
    /// The payment service.
    pub payment: Side<PaymentRecord>,
    /// The gateway.
    pub ledger: Side<LedgerRecord>,
    /// The shipping service.
    pub shipment: Side<ShipmentRecord>,
    /// The audit.
    pub audit: Side<AuditRecord>,
    /// The notification service.
    pub notifications: Side<NotificationRecord>,
}

impl OrderSides {
    /// An order of which nobody was asked anything.
    pub const fn new(order_id: OrderId) -> Self {
        Self {
            order_id,
            order: Side::NotAsked,
            reservation: Side::NotAsked,
            payment: Side::NotAsked,
            ledger: Side::NotAsked,
            shipment: Side::NotAsked,
            audit: Side::NotAsked,
            notifications: Side::NotAsked,
        }
    }
}

/// How far an order is, as far as that decides whether it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It rests: its services must agree.
    AtRest,
    /// It is under way: its services may differ.
    UnderWay,
    /// Its saga is `FAILED`, for this reason: a person should look. Its services may differ.
    Failed(String),
    /// The order service was not asked, does not know it, or cannot read it.
    Unknown,
}

/// The result of comparing an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How far the order is.
    pub stage: Stage,
    /// The disagreements.
    pub disagreements: Vec<Disagreement>,
}

/// Compares what the services say of an order.
pub fn compare_order(sides: &OrderSides) -> Comparison {
    let mut found = Found { order_id: sides.order_id, disagreements: Vec::new() };
    found.unreadable(sides);
    let stage = match &sides.order {
        Side::Says(order) => match order.saga_status() {
            SagaStatus::Completed | SagaStatus::Compensated => {
                at_rest(order, sides, &mut found);
                Stage::AtRest
            }
            SagaStatus::InProgress | SagaStatus::Compensating => Stage::UnderWay,
            SagaStatus::Failed => Stage::Failed(order.facts.stuck.clone().unwrap_or_default()),
        },
        Side::Nothing => {
            unknown_order(sides, &mut found);
            Stage::Unknown
        }
        Side::NotAsked | Side::Unreadable(_) => Stage::Unknown,
    };
    Comparison { stage, disagreements: found.disagreements }
}

/// Disagreements found so far.
struct Found {
    order_id: OrderId,
    disagreements: Vec<Disagreement>,
}

impl Found {
    fn add(&mut self, aspect: Aspect, sides: [Statement; 2]) {
        let subject = Subject::Order(self.order_id);
        self.disagreements.push(Disagreement { subject, aspect, sides });
    }

    fn unreadable(&mut self, sides: &OrderSides) {
        fn cause<T>(side: &Side<T>) -> Option<&str> {
            match side {
                Side::Unreadable(cause) => Some(cause),
                Side::NotAsked | Side::Nothing | Side::Says(_) => None,
            }
        }
        let causes = [
            ("order", cause(&sides.order)),
            ("inventory", cause(&sides.reservation)),
            ("payment", cause(&sides.payment)),
            ("gateway", cause(&sides.ledger)),
            ("shipping", cause(&sides.shipment)),
            ("audit", cause(&sides.audit)),
            ("notification", cause(&sides.notifications)),
        ];
        for (by, cause) in causes.into_iter().filter_map(|(by, cause)| Some((by, cause?))) {
            let stored = Statement::new(by, format!("unreadable record: {cause}"));
            let expected = Statement::new("ordermill", "all records are readable");
            self.add(Aspect::Unreadable, [expected, stored]);
        }
    }
}

/// Everything that is kept of an order that the order service does not have.
fn unknown_order(sides: &OrderSides, found: &mut Found) {
    let said = [
        ("inventory", sides.reservation.says().map(reservation)),
        ("payment", sides.payment.says().map(payment)),
        ("gateway", sides.ledger.says().map(ledger)),
        ("shipping", sides.shipment.says().map(shipment)),
        ("audit", sides.audit.says().map(|audit| format!("recorded events: {}", list(&audit.0)))),
        (
            "notification",
            sides.notifications.says().map(|told| format!("notifications sent: {}", list(&told.0))),
        ),
    ];
    for (by, says) in said.into_iter().filter_map(|(by, says)| Some((by, says?))) {
        let order = Statement::new("order", "there is no such order");
        found.add(Aspect::UnknownOrder, [order, Statement::new(by, says)]);
    }
}

fn at_rest(order: &OrderRecord, sides: &OrderSides, found: &mut Found) {
    reservation_fits(order, &sides.reservation, found);
    payment_fits(order, &sides.payment, found);
    // The books of other gateways are not ours to read.
    let elsewhere = |paid: &PaymentRecord| paid.provider != Provider::Simulated;
    if !sides.payment.says().is_some_and(elsewhere) {
        ledger_fits(order, &sides.ledger, found);
        payment_fits_ledger(&sides.payment, &sides.ledger, found);
    }
    shipment_fits(order, &sides.shipment, found);
    audit_fits(order, &sides.audit, found);
    notifications_fit(order, &sides.notifications, found);
}

/// True when the customer has, or will get, what was ordered.
fn is_fulfilled(order: &OrderRecord) -> bool {
    matches!(order.status(), OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Completed)
}

fn reservation_fits(order: &OrderRecord, side: &Side<ReservationRecord>, found: &mut Found) {
    let Some(record) = side.known() else { return };
    let state = record.map(|record| record.state);
    let fits = match order.status() {
        OrderStatus::Confirmed => state == Some(ReservationState::Reserved),
        OrderStatus::Shipped | OrderStatus::Completed => state == Some(ReservationState::Committed),
        _ => !matches!(state, Some(ReservationState::Reserved | ReservationState::Committed)),
    };
    let same =
        || record.is_some_and(|record| by_product(&record.lines) == by_product(&order.lines));
    if fits && (!is_fulfilled(order) || same()) {
        return;
    }
    let wants = match is_fulfilled(order) {
        true => lines(&order.lines),
        false => "no stock reserved".to_owned(),
    };
    let says = record.map_or_else(|| "no reservation".to_owned(), reservation);
    let order = Statement::new("order", format!("{}, {wants}", order.status().as_str()));
    found.add(Aspect::Reservation, [order, Statement::new("inventory", says)]);
}

fn payment_fits(order: &OrderRecord, side: &Side<PaymentRecord>, found: &mut Found) {
    let Some(record) = side.known() else { return };
    let status = record.map(|record| record.status);
    let (fits, wants) = match is_fulfilled(order) {
        true => {
            let paid = record.and_then(|record| record.captured);
            let keeps = matches!(
                status,
                Some(
                    PaymentStatus::Approved
                        | PaymentStatus::PartiallyRefunded
                        | PaymentStatus::Refunded
                )
            );
            // A gateway may add a fee for the customer.
            let is_enough = paid.is_some_and(|paid| {
                paid.currency == order.total.currency && paid.minor >= order.total.minor
            });
            let fits = keeps && is_enough;
            (fits, format!("{} paid", money(order.total)))
        }
        false => {
            let undone = matches!(
                status,
                None | Some(
                    PaymentStatus::Failed
                        | PaymentStatus::Expired
                        | PaymentStatus::Lapsed
                        | PaymentStatus::Reversed
                )
            );
            (undone, "nothing paid".to_owned())
        }
    };
    if !fits {
        let says = record.map_or_else(|| "no payment".to_owned(), payment);
        let order = Statement::new("order", format!("{}, {wants}", order.status().as_str()));
        found.add(Aspect::Payment, [order, Statement::new("payment", says)]);
    }
}

fn ledger_fits(order: &OrderRecord, side: &Side<LedgerRecord>, found: &mut Found) {
    let Some(record) = side.known() else { return };
    let entries = record.map_or(&[][..], |record| &record.0);
    let captures = entries.iter().filter(|entry| entry.captured.minor != 0).count();
    let held: i64 = entries.iter().map(held_minor).sum();
    let given_back = order.facts.payment_news.as_ref().map_or(0, |news| news.refunded_minor());
    let owed = if is_fulfilled(order) { order.total.minor - given_back } else { 0 };
    let foreign = entries.iter().any(|entry| entry.captured.currency != order.total.currency);
    if held == owed && captures <= 1 && !foreign {
        return;
    }
    let wants = match is_fulfilled(order) {
        true if given_back == 0 => format!("{} captured once", money(order.total)),
        true => {
            let currency = order.total.currency;
            let back = money(Money { minor: given_back, currency });
            format!("{} captured once, {back} given back", money(order.total))
        }
        false => "no money held".to_owned(),
    };
    let says = record.map_or_else(|| "no ledger entry".to_owned(), ledger);
    let order = Statement::new("order", format!("{}, {wants}", order.status().as_str()));
    found.add(Aspect::Ledger, [order, Statement::new("gateway", says)]);
}

/// Compares the payment's amounts with the gateway's ledger.
fn payment_fits_ledger(
    payment_side: &Side<PaymentRecord>,
    ledger_side: &Side<LedgerRecord>,
    found: &mut Found,
) {
    let (Some(paid), Some(entries)) = (payment_side.says(), ledger_side.known()) else { return };
    if matches!(
        paid.status,
        PaymentStatus::Pending
            | PaymentStatus::AwaitingCustomer
            | PaymentStatus::InReview
            | PaymentStatus::Reversing
    ) {
        return; // The gateway's answer is not known yet.
    }
    let minor = |money: Option<Money>| money.map_or(0, |money| money.minor);
    let known = [minor(paid.captured), minor(paid.refunded)];
    let entries_of = entries.map_or(&[][..], |record| &record.0);
    let done: [i64; 2] = [
        entries_of.iter().map(|entry| entry.captured.minor).sum(),
        entries_of.iter().map(|entry| entry.refunded.minor).sum(),
    ];
    if known != done {
        let says = entries.map_or_else(|| "no ledger entry".to_owned(), ledger);
        let sides = [Statement::new("payment", payment(paid)), Statement::new("gateway", says)];
        found.add(Aspect::Ledger, sides);
    }
}

fn shipment_fits(order: &OrderRecord, side: &Side<ShipmentRecord>, found: &mut Found) {
    let Some(record) = side.known() else { return };
    let status = record.map(|record| record.status);
    let wanted = match order.status() {
        OrderStatus::Confirmed => Some(ShipmentStatus::Scheduled),
        OrderStatus::Shipped => Some(ShipmentStatus::Dispatched),
        OrderStatus::Completed => Some(ShipmentStatus::Delivered),
        _ => None,
    };
    let known = order.facts.shipment().map(|shipment| shipment.tracking_code.as_str());
    let units: u64 = order.lines.iter().map(|line| u64::from(line.quantity)).sum();
    let fits = match (wanted, record) {
        (Some(_), Some(record)) => {
            status == wanted
                && record.tracking_code.as_deref() == known
                && record.units == Some(units)
        }
        (Some(_), None) => false,
        (None, _) => {
            matches!(status, None | Some(ShipmentStatus::Failed | ShipmentStatus::Cancelled))
        }
    };
    if fits {
        return;
    }
    let wants = match known.filter(|_| wanted.is_some()) {
        Some(code) => format!("parcel {code} of {units} units"),
        None => "no shipment".to_owned(),
    };
    let says = record.map_or_else(|| "no shipment".to_owned(), shipment);
    let order = Statement::new("order", format!("{}, {wants}", order.status().as_str()));
    found.add(Aspect::Shipment, [order, Statement::new("shipping", says)]);
}

fn audit_fits(order: &OrderRecord, side: &Side<AuditRecord>, found: &mut Found) {
    let Some(record) = side.known() else { return };
    let kept = record.map_or(&[][..], |record| &record.0);
    let expected: Vec<Kind> =
        events::published(order).into_iter().chain(events::consumed(order)).collect();
    // Of other services' events only those are known that the order service needed.
    let own = kept.iter().filter(|name| events::is_own(name)).cloned().collect::<Vec<_>>();
    events_fit(order, &expected, kept, &own, Aspect::Audit, "audit", found);
}

fn notifications_fit(order: &OrderRecord, side: &Side<NotificationRecord>, found: &mut Found) {
    let Some(record) = side.known() else { return };
    let told = record.map_or(&[][..], |record| &record.0);
    let expected = events::customer_events(order);
    // That it can be paid, and how its payment stands, is told once, at its time: missing, it would come too late to be
    // told.
    let of_payment = [Kind::OrderPaymentRequired, Kind::PaymentStatusUpdated].map(Kind::as_str);
    let may_be_there = |name: &&String| {
        order.facts.payment_news.is_none() || !of_payment.iter().any(|of| name.starts_with(of))
    };
    let bounded: Vec<_> = told.iter().filter(may_be_there).cloned().collect();
    events_fit(order, &expected, told, &bounded, Aspect::Notification, "notification", found);
}

/// Checks that every expected event is present, and none of `bounded` more often than expected.
fn events_fit(
    order: &OrderRecord,
    expected: &[Kind],
    there: &[String],
    bounded: &[String],
    aspect: Aspect,
    by: &str,
    found: &mut Found,
) {
    let is_there = |kind: &&Kind| there.iter().any(|name| name == kind.as_str());
    let missing: Vec<_> =
        expected.iter().filter(|kind| !is_there(kind)).map(|kind| kind.as_str()).collect();
    let times = |name: &String| bounded.iter().filter(|other| *other == name).count();
    let mut extra: Vec<_> = bounded
        .iter()
        .filter(|name| times(name) > 1 || !expected.iter().any(|kind| kind.as_str() == **name))
        .map(String::as_str)
        .collect();
    extra.dedup();
    if missing.is_empty() && extra.is_empty() {
        return;
    }
    let mut says = Vec::new();
    if !missing.is_empty() {
        says.push(format!("missing: {}", missing.join(", ")));
    }
    if !extra.is_empty() {
        says.push(format!("unexpected: {}", extra.join(", ")));
    }
    let names: Vec<_> = expected.iter().map(|kind| kind.as_str()).collect();
    let status = order.status().as_str();
    let order = Statement::new("order", format!("{status}, expected: {}", names.join(", ")));
    found.add(aspect, [order, Statement::new(by, says.join("; "))]);
}

fn by_product(lines: &[StockLine]) -> Vec<StockLine> {
    let mut lines = lines.to_vec();
    lines.sort_by(|one, other| one.product_id.cmp(&other.product_id));
    lines
}

fn held_minor(entry: &LedgerEntry) -> i64 {
    entry.captured.minor - entry.refunded.minor
}

fn lines(lines: &[StockLine]) -> String {
    let words = lines.iter().map(|line| format!("{} × {}", line.quantity, line.product_id));
    words.collect::<Vec<_>>().join(", ")
}

fn list(names: &[String]) -> String {
    names.join(", ")
}

fn money(amount: Money) -> String {
    amount.to_string()
}

fn reservation(record: &ReservationRecord) -> String {
    let state = match record.state {
        ReservationState::Reserved => "RESERVED",
        ReservationState::Committed => "COMMITTED",
        ReservationState::Released => "RELEASED",
        ReservationState::Refused => "REFUSED",
    };
    match record.lines.is_empty() {
        true => state.to_owned(),
        false => format!("{state}, {}", lines(&record.lines)),
    }
}

fn payment(record: &PaymentRecord) -> String {
    let amount =
        |money: Option<Money>| money.map_or_else(|| "nothing".to_owned(), |m| m.to_string());
    let (captured, refunded) = (amount(record.captured), amount(record.refunded));
    format!("{}, captured {captured}, refunded {refunded}", record.status.as_str())
}

fn ledger(record: &LedgerRecord) -> String {
    let entry = |entry: &LedgerEntry| {
        let (captured, refunded) = (money(entry.captured), money(entry.refunded));
        format!("{}, captured {captured}, refunded {refunded}", entry.status.as_str())
    };
    record.0.iter().map(entry).collect::<Vec<_>>().join("; and with another key ")
}

fn shipment(record: &ShipmentRecord) -> String {
    let status = record.status.as_str();
    match (&record.tracking_code, record.units) {
        (Some(code), Some(units)) => format!("{status}, parcel {code} of {units} units"),
        _ => status.to_owned(),
    }
}
