//! An order that every service agrees on, and every way in which one of them can differ.

use super::*;
use crate::clock::Timestamp;
use crate::gateway::EntryStatus;
use crate::ids::{OrderId, ProductId};
use crate::messages::{
    Flow, Kind, PaymentApproved, PaymentRefunded, Plan, Refusal, ShipmentScheduled, StockLine,
};
use crate::money::{Currency, Money};
use crate::notification::Topic;
use crate::order::Step;
use crate::order::facts::{Fact, Facts};
use crate::order::payment_news::{KnownRefund, PaymentFact, PaymentPage};
use crate::order::step_state::{AnswerData, StepChange};
use crate::payment::{Page, PaymentStatus, Provider};
use crate::shipping::ShipmentStatus;
use uuid::Uuid;

const TOTAL: i64 = 4_990;

fn at() -> Timestamp {
    Timestamp::from_timestamp_micros(1_700_000_000_000_000).unwrap()
}

fn usd(minor: i64) -> Money {
    Money { minor, currency: Currency::USD }
}

fn line(product: &str, quantity: u32) -> StockLine {
    StockLine { product_id: ProductId::from(product), quantity }
}

fn lines() -> Vec<StockLine> {
    vec![line("B", 1), line("A", 2)]
}

fn names(kinds: &[Kind]) -> Vec<String> {
    kinds.iter().map(|kind| kind.as_str().to_owned()).collect()
}

fn facts(learned: Vec<Fact>) -> Facts {
    let mut facts = Facts::default();
    learned.iter().for_each(|fact| facts.apply(fact, at()).unwrap());
    facts
}

fn confirmed() -> Vec<Fact> {
    let payment = PaymentApproved { total: usd(TOTAL), transaction_id: "t".to_owned() };
    let shipment = ShipmentScheduled {
        tracking_code: "SIM-1".to_owned(),
        freight: usd(500),
        estimated_delivery: at(),
    };
    let sent = |step| Fact::Step(step, StepChange::Sent);
    vec![
        Fact::Placed,
        sent(Step::Inventory),
        Fact::done(Step::Inventory),
        sent(Step::Payment),
        Fact::Step(Step::Payment, StepChange::Done(AnswerData::Payment(payment))),
        sent(Step::Shipping),
        Fact::Step(Step::Shipping, StepChange::Done(AnswerData::Shipment(shipment))),
        Fact::Confirmed,
    ]
}

fn completed() -> Vec<Fact> {
    let rest = [
        Fact::Step(Step::Dispatch, StepChange::Requested),
        Fact::Step(Step::Dispatch, StepChange::Sent),
        Fact::done(Step::Dispatch),
        Fact::Step(Step::Commit, StepChange::Sent),
        Fact::done(Step::Commit),
        Fact::Step(Step::Delivery, StepChange::Requested),
        Fact::Step(Step::Delivery, StepChange::Sent),
        Fact::done(Step::Delivery),
    ];
    confirmed().into_iter().chain(rest).collect()
}

/// Refused by the gateway: the stock went back.
fn declined() -> Vec<Fact> {
    vec![
        Fact::Placed,
        Fact::Step(Step::Inventory, StepChange::Sent),
        Fact::done(Step::Inventory),
        Fact::Step(Step::Payment, StepChange::Sent),
        Fact::Step(Step::Payment, StepChange::Refused(Refusal::because("declined"))),
        Fact::Step(Step::Inventory, StepChange::UndoSent),
        Fact::Step(Step::Inventory, StepChange::Undone),
        Fact::Closed,
    ]
}

fn order(learned: Vec<Fact>) -> OrderRecord {
    OrderRecord {
        version: 7,
        flow: Flow::Orchestrated,
        plan: Plan::ReserveFirst,
        lines: lines(),
        total: usd(TOTAL),
        facts: facts(learned),
        updated_at: at(),
    }
}

fn held(captured: i64, refunded: i64) -> LedgerRecord {
    let status = if refunded == 0 { EntryStatus::Charged } else { EntryStatus::Refunded };
    LedgerRecord(vec![LedgerEntry {
        key: Uuid::from_u128(1),
        status,
        captured: usd(captured),
        refunded: usd(refunded),
    }])
}

fn paid(status: PaymentStatus, captured: Option<i64>, refunded: Option<i64>) -> PaymentRecord {
    PaymentRecord {
        provider: Provider::Simulated,
        status,
        amount: Some(usd(TOTAL)),
        captured: captured.map(usd),
        refunded: refunded.map(usd),
    }
}

fn reserved(state: ReservationState) -> ReservationRecord {
    ReservationRecord { state, lines: vec![line("A", 2), line("B", 1)] }
}

fn parcel(status: ShipmentStatus) -> ShipmentRecord {
    ShipmentRecord { status, units: Some(3), tracking_code: Some("SIM-1".to_owned()) }
}

/// The records of all services of a confirmed order.
fn whole() -> OrderSides {
    OrderSides {
        order_id: OrderId(Uuid::from_u128(42)),
        order: Side::Says(order(confirmed())),
        reservation: Side::Says(reserved(ReservationState::Reserved)),
        payment: Side::Says(paid(PaymentStatus::Approved, Some(TOTAL), None)),
        ledger: Side::Says(held(TOTAL, 0)),
        shipment: Side::Says(parcel(ShipmentStatus::Scheduled)),
        audit: Side::Says(AuditRecord(names(&[
            Kind::OrderCreated,
            Kind::InventoryReserved,
            Kind::PaymentApproved,
            Kind::ShippingScheduled,
            Kind::OrderConfirmed,
        ]))),
        notifications: Side::Says(NotificationRecord(names(&[
            Kind::OrderCreated,
            Kind::OrderConfirmed,
        ]))),
    }
}

/// The same of one that has arrived.
fn arrived() -> OrderSides {
    OrderSides {
        order: Side::Says(order(completed())),
        reservation: Side::Says(reserved(ReservationState::Committed)),
        shipment: Side::Says(parcel(ShipmentStatus::Delivered)),
        audit: Side::Says(AuditRecord(names(&[
            Kind::OrderCreated,
            Kind::InventoryReserved,
            Kind::PaymentApproved,
            Kind::ShippingScheduled,
            Kind::OrderConfirmed,
            Kind::OrderDispatchRequested,
            Kind::ShippingDispatched,
            Kind::InventoryCommitted,
            Kind::OrderShipped,
            Kind::OrderDeliveryConfirmed,
            Kind::ShippingDelivered,
            Kind::OrderCompleted,
        ]))),
        notifications: Side::Says(NotificationRecord(names(&[
            Kind::OrderCreated,
            Kind::OrderConfirmed,
            Kind::OrderShipped,
            Kind::OrderCompleted,
        ]))),
        ..whole()
    }
}

/// The same of one whose payment was refused.
fn refused() -> OrderSides {
    OrderSides {
        order: Side::Says(order(declined())),
        reservation: Side::Says(reserved(ReservationState::Released)),
        payment: Side::Says(paid(PaymentStatus::Failed, None, None)),
        ledger: Side::Says(held(0, 0)),
        shipment: Side::Nothing,
        audit: Side::Says(AuditRecord(names(&[
            Kind::OrderCreated,
            Kind::InventoryReserved,
            Kind::PaymentFailed,
            Kind::InventoryReleased,
            Kind::OrderCancelled,
        ]))),
        notifications: Side::Says(NotificationRecord(names(&[
            Kind::OrderCreated,
            Kind::OrderCancelled,
        ]))),
        ..whole()
    }
}

fn aspects(sides: &OrderSides) -> Vec<Aspect> {
    compare_order(sides).disagreements.into_iter().map(|found| found.aspect).collect()
}

#[test]
fn services_that_agree_are_not_named() {
    for sides in [whole(), arrived(), refused()] {
        let compared = compare_order(&sides);
        assert_eq!(compared, Comparison { stage: Stage::AtRest, disagreements: Vec::new() });
    }
}

#[test]
fn every_way_in_which_a_service_can_differ_from_a_fulfilled_order_is_found() {
    use Aspect::{Audit, Ledger, Notification, Payment, Reservation, Shipment};
    let reservation = |record| OrderSides { reservation: record, ..whole() };
    let payment = |record| OrderSides { payment: record, ..whole() };
    let ledger = |record| OrderSides { ledger: record, ..whole() };
    let shipment = |record| OrderSides { shipment: record, ..whole() };
    let audit =
        |kinds: &[Kind]| OrderSides { audit: Side::Says(AuditRecord(names(kinds))), ..whole() };
    let told = |kinds: &[Kind]| OrderSides {
        notifications: Side::Says(NotificationRecord(names(kinds))),
        ..whole()
    };
    let other_lines = ReservationRecord {
        state: ReservationState::Reserved,
        lines: vec![line("A", 3), line("B", 1)],
    };
    let twice = LedgerRecord([held(TOTAL, 0).0, held(TOTAL, TOTAL).0].concat());
    let euros = Money { currency: Currency::parse("EUR").unwrap(), ..usd(TOTAL) };
    let in_euros =
        LedgerRecord(vec![LedgerEntry { captured: euros, ..held(TOTAL, 0).0[0].clone() }]);
    let all = [Kind::OrderCreated, Kind::OrderConfirmed];
    let other_parcel = ShipmentRecord {
        tracking_code: Some("SIM-2".to_owned()),
        ..parcel(ShipmentStatus::Scheduled)
    };
    let fewer_units = ShipmentRecord { units: Some(2), ..parcel(ShipmentStatus::Scheduled) };
    let cases: Vec<(&str, OrderSides, Vec<Aspect>)> = vec![
        ("no reservation", reservation(Side::Nothing), vec![Reservation]),
        (
            "released",
            reservation(Side::Says(reserved(ReservationState::Released))),
            vec![Reservation],
        ),
        (
            "left too early",
            reservation(Side::Says(reserved(ReservationState::Committed))),
            vec![Reservation],
        ),
        ("other lines", reservation(Side::Says(other_lines)), vec![Reservation]),
        ("no payment", payment(Side::Nothing), vec![Payment]),
        ("pending", payment(Side::Says(paid(PaymentStatus::Pending, None, None))), vec![Payment]),
        (
            "reversed",
            payment(Side::Says(paid(PaymentStatus::Reversed, Some(TOTAL), Some(TOTAL)))),
            vec![Payment, Ledger],
        ),
        (
            "too little",
            payment(Side::Says(paid(PaymentStatus::Approved, Some(1), None))),
            vec![Payment, Ledger],
        ),
        ("no charge", ledger(Side::Nothing), vec![Ledger, Ledger]),
        ("given back", ledger(Side::Says(held(TOTAL, TOTAL))), vec![Ledger, Ledger]),
        ("charged twice", ledger(Side::Says(twice)), vec![Ledger, Ledger]),
        ("in another currency", ledger(Side::Says(in_euros)), vec![Ledger]),
        ("no parcel", shipment(Side::Nothing), vec![Shipment]),
        ("left", shipment(Side::Says(parcel(ShipmentStatus::Dispatched))), vec![Shipment]),
        ("another parcel", shipment(Side::Says(other_parcel)), vec![Shipment]),
        ("a smaller parcel", shipment(Side::Says(fewer_units)), vec![Shipment]),
        ("no audit", OrderSides { audit: Side::Nothing, ..whole() }, vec![Audit]),
        ("an event is missing", audit(&all), vec![Audit]),
        ("not told", OrderSides { notifications: Side::Nothing, ..whole() }, vec![Notification]),
        ("told too little", told(&[Kind::OrderCreated]), vec![Notification]),
        ("told too much", told(&[all[0], all[1], Kind::OrderCancelled]), vec![Notification]),
        ("told twice", told(&[all[0], all[0], all[1]]), vec![Notification]),
    ];
    for (name, sides, expected) in cases {
        assert_eq!(aspects(&sides), expected, "{name}");
    }
}

#[test]
fn a_refund_that_the_order_knows_of_is_no_disagreement() {
    let refunded = KnownRefund {
        number: 0,
        refunded: PaymentRefunded { refund_id: None, amount: usd(990), refunded_total: usd(990) },
    };
    let mut learned = confirmed();
    learned.push(Fact::Payment(PaymentFact::Refunded(refunded)));
    let sides = OrderSides {
        order: Side::Says(order(learned)),
        payment: Side::Says(paid(PaymentStatus::PartiallyRefunded, Some(TOTAL), Some(990))),
        ledger: Side::Says(held(TOTAL, 990)),
        ..whole()
    };
    assert_eq!(aspects(&sides), []);
    let unknown = OrderSides { order: whole().order, ..sides };
    assert_eq!(aspects(&unknown), [Aspect::Ledger], "the order does not know of it");
}

#[test]
fn a_notice_that_the_order_can_be_paid_is_expected_of_orders_that_had_a_page() {
    let mut told = vec![Kind::OrderCreated, Kind::OrderConfirmed, Kind::OrderPaymentRequired];
    let sides = |learned, told: &[Kind]| OrderSides {
        order: Side::Says(order(learned)),
        notifications: Side::Says(NotificationRecord(names(told))),
        ..whole()
    };
    assert_eq!(aspects(&sides(confirmed(), &told)), [Aspect::Notification]);
    let page = Page { url: "https://pay.example".to_owned(), expires_at: at() };
    let page = Fact::Payment(PaymentFact::Page(PaymentPage { number: 0, page }));
    let mut learned = confirmed();
    learned.insert(5, page);
    assert_eq!(aspects(&sides(learned.clone(), &told)), []);
    let mut with_status = names(&told);
    with_status.push(Topic::PaymentSucceeded.as_str().to_owned());
    let with_status = Side::Says(NotificationRecord(with_status));
    let with_status = OrderSides { notifications: with_status, ..sides(learned.clone(), &told) };
    assert_eq!(aspects(&with_status), []);
    told.pop();
    assert_eq!(aspects(&sides(learned, &told)), [], "late, it would not be told any more");
}

#[test]
fn every_way_in_which_a_cancelled_order_can_keep_something_is_found() {
    use Aspect::{Ledger, Payment, Reservation, Shipment};
    let kept = |state| OrderSides { reservation: Side::Says(reserved(state)), ..refused() };
    assert_eq!(aspects(&kept(ReservationState::Reserved)), [Reservation]);
    assert_eq!(aspects(&kept(ReservationState::Committed)), [Reservation]);
    assert!(aspects(&OrderSides { reservation: Side::Nothing, ..refused() }).is_empty());
    let captured = OrderSides { ledger: Side::Says(held(TOTAL, 0)), ..refused() };
    assert_eq!(aspects(&captured), [Ledger, Ledger]);
    let approved = paid(PaymentStatus::Approved, Some(TOTAL), None);
    let approved = OrderSides { payment: Side::Says(approved), ..refused() };
    assert_eq!(aspects(&approved), [Payment, Ledger]);
    let sent = OrderSides { shipment: Side::Says(parcel(ShipmentStatus::Scheduled)), ..refused() };
    assert_eq!(aspects(&sent), [Shipment]);
}

#[test]
fn both_sides_are_described() {
    let sides = OrderSides { reservation: Side::Nothing, ..whole() };
    let told = compare_order(&sides).disagreements[0].to_string();
    assert_eq!(
        told,
        "order 00000000-0000-0000-0000-00000000002a: reservation: order says: CONFIRMED, 1 × B, 2 \
         × A; inventory says: no reservation"
    );
}

#[test]
fn only_requested_services_are_compared() {
    let sides = OrderSides { order: whole().order, ..OrderSides::new(whole().order_id) };
    assert!(aspects(&sides).is_empty());
    let nobody = OrderSides { order: Side::NotAsked, ..whole() };
    assert_eq!(
        compare_order(&nobody),
        Comparison { stage: Stage::Unknown, disagreements: Vec::new() }
    );
}

#[test]
fn an_order_under_way_or_stuck_is_not_compared() {
    let under_way = OrderSides {
        order: Side::Says(order(vec![Fact::Placed, Fact::Step(Step::Inventory, StepChange::Sent)])),
        ..whole()
    };
    assert_eq!(compare_order(&under_way).stage, Stage::UnderWay);
    let mut stuck = confirmed();
    stuck.push(Fact::Stuck { reason: "why".to_owned() });
    let stuck = OrderSides { order: Side::Says(order(stuck)), payment: Side::Nothing, ..whole() };
    let compared = compare_order(&stuck);
    assert_eq!(compared.stage, Stage::Failed("why".to_owned()));
    assert!(compared.disagreements.is_empty());
}

#[test]
fn records_of_an_unknown_order_are_found() {
    let sides = OrderSides { order: Side::Nothing, shipment: Side::Nothing, ..whole() };
    assert_eq!(aspects(&sides), [Aspect::UnknownOrder; 5]);
}

#[test]
fn an_unreadable_record_is_reported_and_not_treated_as_missing() {
    let sides = OrderSides { payment: Side::Unreadable("broken".to_owned()), ..whole() };
    assert_eq!(aspects(&sides), [Aspect::Unreadable]);
}

#[test]
fn choreographed_a_conclusion_needs_no_event() {
    let mut order = order(declined());
    order.flow = Flow::Choreographed;
    let audit = names(&[
        Kind::OrderCreated,
        Kind::InventoryReserved,
        Kind::PaymentFailed,
        Kind::OrderCancelled,
    ]);
    let sides =
        OrderSides { order: Side::Says(order), audit: Side::Says(AuditRecord(audit)), ..refused() };
    assert!(aspects(&sides).is_empty(), "inventory.released was concluded");
}

#[test]
fn stock_that_is_reserved_for_nobody_is_found() {
    let product = product();
    assert!(compare_product(&product).is_empty());
    let found = compare_product(&ProductRecord { claimed: 3, ..product });
    assert_eq!(found[0].aspect, Aspect::ReservedStock);
}

#[test]
fn stock_that_differs_from_its_newest_movement_is_found() {
    for changed in [
        ProductRecord { on_hand: 15, ..product() },
        ProductRecord { reserved: 3, claimed: 3, ..product() },
        ProductRecord { version: 8, ..product() },
    ] {
        let found = compare_product(&changed);
        assert_eq!(found.len(), 1, "{changed:?}");
        assert_eq!(found[0].aspect, Aspect::Movements);
    }
    let forgotten = ProductRecord { on_hand: 15, ledger: None, ..product() };
    assert!(compare_product(&forgotten).is_empty(), "no movement is kept");
}

fn product() -> ProductRecord {
    ProductRecord {
        product_id: ProductId::from("A"),
        on_hand: 10,
        reserved: 4,
        version: 7,
        ledger: Some(StockRecord { version: 7, on_hand: 10, reserved: 4 }),
        claimed: 4,
    }
}

#[test]
fn records_are_the_same_after_their_way_as_json() {
    let sides = whole();
    let order = sides.order.says().unwrap();
    let json = serde_json::to_string(order).unwrap();
    assert_eq!(serde_json::from_str::<OrderRecord>(&json).unwrap(), *order);
    let record =
        Record { order_id: sides.order_id, says: Ok(sides.ledger.says().unwrap().clone()) };
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<Record<LedgerRecord>>(&json).unwrap(), record);
}
