//! The demo's own arithmetic: it must notice what does not balance.

use super::catalogue::Catalogue;
use super::customer::CustomerRun;
use super::order_mix;
use super::order_records::OrderRecords;
use super::reconciliation::{Reconciliation, reconcile};
use super::scenario::{Ending, GatewayPages, Scenario, assign};
use crate::check::Outcome;
use ordermill_client::{Order, ProductStock};
use ordermill_domain::ids::OrderId;
use ordermill_domain::reconciliation::{Aspect, Disagreement, Statement, Subject};
use std::collections::BTreeMap;
use uuid::Uuid;

fn run(catalogue: &Catalogue, scenario: Scenario, ending: Ending) -> CustomerRun {
    let order_mix = order_mix::fill(catalogue, scenario, 0);
    CustomerRun {
        scenario,
        order_id: Some(Uuid::nil()),
        placed_after: None,
        lines: order_mix.lines.clone(),
        total_minor: order_mix.total_minor,
        ending,
        problems: Vec::new(),
    }
}

fn order_records(captured: i64, refunded: i64) -> OrderRecords {
    let outcome = Outcome { orders: 1, products: 5, ..Outcome::default() };
    OrderRecords { outcome, captured, refunded }
}

fn products(catalogue: &Catalogue) -> BTreeMap<String, ProductStock> {
    let stock = |n| ProductStock { available_qty: n, reserved_qty: 0, on_hand: n };
    catalogue.products().map(|product| (product.sku.clone(), stock(product.initial))).into()
}

/// One delivered order of one mug at 12.50, with these records and this change to the mugs' stock.
fn one_delivered(
    order_records: OrderRecords,
    stock: impl FnOnce(&mut ProductStock),
) -> Reconciliation {
    let catalogue = Catalogue::for_run(&[Scenario::Delivered]);
    let runs = [run(&catalogue, Scenario::Delivered, Ending::Completed)];
    let mut products = products(&catalogue);
    stock(products.get_mut(&catalogue.mug.sku).unwrap());
    reconcile(&catalogue, &runs, &order_records, &products, 1)
}

fn one_left(stock: &mut ProductStock) {
    stock.available_qty -= 1;
    stock.on_hand -= 1;
}

#[test]
fn every_order_has_a_scenario_and_every_scenario_an_order() {
    for orders in [1, 5, 15, 16, 99, 100, 300, 1_001] {
        let scenarios = assign(orders, GatewayPages::Short);
        assert_eq!(scenarios.len(), orders);
        let met =
            Scenario::SHARES.iter().filter(|(scenario, _)| scenarios.contains(scenario)).count();
        assert_eq!(met, orders.min(Scenario::SHARES.len()), "{orders} orders");
    }
    assert_eq!(Scenario::SHARES.iter().map(|(_, share)| share).sum::<usize>(), 100);
}

#[test]
fn a_shop_without_pages_is_asked_for_none() {
    let count = |pages, scenario| {
        assign(100, pages).iter().filter(|assigned| **assigned == scenario).count()
    };
    let at_pages = [Scenario::PaidAtPage, Scenario::NeverPaid, Scenario::PaidTooLate];
    let counts = |pages| at_pages.map(|scenario| count(pages, scenario));
    let [paid, unpaid, late] = counts(GatewayPages::Short);
    assert_eq!(counts(GatewayPages::Long), [paid + unpaid, 0, late]);
    assert_eq!(counts(GatewayPages::None), [0, 0, 0]);
}

#[test]
fn the_expected_endings_add_up() {
    for (scenario, _) in Scenario::SHARES {
        for orders in [1, 2, 60] {
            let sum: usize = scenario.expected(orders).iter().map(|(_, count)| count).sum();
            assert_eq!(sum, orders, "{scenario:?}");
        }
    }
}

#[test]
fn correct_records_reconcile() {
    let reconciliation = one_delivered(order_records(1250, 0), one_left);
    assert!(reconciliation.wrong.is_empty(), "{:?}", reconciliation.wrong);
    assert_eq!((reconciliation.agreed, reconciliation.money.owed), (1, 1250));
}

#[test]
fn every_disagreement_is_reported() {
    let differing = || {
        let subject = Subject::Order(OrderId(Uuid::nil()));
        let sides = ["order", "inventory"].map(|by| Statement::new(by, "something else"));
        let mut order_records = order_records(1250, 0);
        order_records.outcome.disagreements.push(Disagreement {
            subject,
            aspect: Aspect::Reservation,
            sides,
        });
        order_records
    };
    let cases: [(Reconciliation, &str); 3] = [
        (one_delivered(order_records(1250, 0), |_| {}), "stock of DEMO-"),
        (one_delivered(order_records(0, 0), one_left), "12.50 due for fulfilled orders"),
        (one_delivered(differing(), one_left), "inventory says: something else"),
    ];
    for (reconciliation, expected) in cases {
        assert!(
            reconciliation.wrong.iter().any(|wrong| wrong.contains(expected)),
            "{:?}",
            reconciliation.wrong
        );
    }
}

#[test]
fn a_failed_scenario_and_an_unlisted_order_are_reported() {
    let catalogue = Catalogue::for_run(&[Scenario::PaymentRefused]);
    let runs = [run(&catalogue, Scenario::PaymentRefused, Ending::Cancelled("customer".into()))];
    let order_records = order_records(0, 0);
    let reconciliation = reconcile(&catalogue, &runs, &order_records, &products(&catalogue), 0);
    assert_eq!(
        reconciliation.wrong,
        [
            "scenario \"payment declined\": expected 1 CANCELLED (payment), got 1 CANCELLED (customer)",
            "orders: 1 were accepted, 0 are listed",
        ]
    );
}

#[test]
fn requests_say_what_the_contract_asks() {
    let catalogue = Catalogue::for_run(&[Scenario::OneProduct]);
    let written = |scenario| {
        serde_json::to_string(&order_mix::fill(&catalogue, scenario, 0).request).unwrap()
    };
    let full = written(Scenario::Undeliverable);
    assert!(full.contains(r#""unit_price":12.50"#), "exact, with its decimals: {full}");
    assert!(full.contains("TEST-UNDELIVERABLE") && full.contains(r#""currency":"USD""#), "{full}");
    let short = written(Scenario::ShortForm);
    assert!(short.contains(r#""quantity":1,"total_amount":49.90"#), "{short}");
    assert!(written(Scenario::UnknownProduct).contains("-NOWHERE"));
}

#[test]
fn an_order_rests_when_its_saga_does() {
    let order = |status: &str, saga: &str| -> Order {
        serde_json::from_value(serde_json::json!({
            "order_id": Uuid::nil(), "customer_id": "c", "flow": "orchestrated", "status": status,
            "saga": { "status": saga, "step": "none" }, "items": [], "total_amount": 12.5,
            "failure": { "step": "payment", "reason": "declined" },
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    };
    let ending = |status, saga| Ending::of(&order(status, saga));
    assert_eq!(ending("CONFIRMED", "COMPLETED"), Ending::Confirmed);
    assert!(!order("CONFIRMED", "COMPENSATING").is_at_rest());
    assert_eq!(ending("CANCELLED", "COMPENSATED"), Ending::Cancelled("payment".into()));
    let stuck = ending("PAYMENT_FAILED", "FAILED");
    assert_eq!(stuck, Ending::Lost("PAYMENT_FAILED, saga FAILED".into()));
}
