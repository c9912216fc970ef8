//! The demo's own arithmetic: it must notice what does not balance.

use super::books::{Books, balance};
use super::catalogue::Catalogue;
use super::customer::Story;
use super::fate::{Ending, Fate, deal};
use super::papers::Papers;
use super::views::{OrderView, Shelf};
use super::{basket, table};
use crate::check::Outcome;
use ordermill_actors::ids::OrderId;
use ordermill_actors::reconciliation::{Aspect, Disagreement, Statement, Subject};
use std::collections::BTreeMap;
use uuid::Uuid;

fn story(catalogue: &Catalogue, fate: Fate, ending: Ending) -> Story {
    let basket = basket::fill(catalogue, fate, 0);
    Story {
        fate,
        order_id: Some("o-1".to_owned()),
        placed_after: None,
        lines: basket.lines.clone(),
        total_minor: basket.total_minor,
        ending,
        troubles: Vec::new(),
    }
}

fn papers(captured: i64, refunded: i64) -> Papers {
    let outcome = Outcome { orders: 1, products: 5, ..Outcome::default() };
    Papers { outcome, captured, refunded }
}

fn shelves(catalogue: &Catalogue) -> BTreeMap<String, Shelf> {
    let shelf = |n| Shelf { available_qty: n, reserved_qty: 0, on_hand: n };
    catalogue.products().map(|product| (product.sku.clone(), shelf(product.initial))).into()
}

/// One delivered order of one mug at 12.50, with these papers and this change to the mugs' shelf.
fn one_delivered(papers: Papers, shelf: impl FnOnce(&mut Shelf)) -> Books {
    let catalogue = Catalogue::for_run(&[Fate::Delivered]);
    let stories = [story(&catalogue, Fate::Delivered, Ending::Completed)];
    let mut shelves = shelves(&catalogue);
    shelf(shelves.get_mut(&catalogue.mug.sku).unwrap());
    balance(&catalogue, &stories, &papers, &shelves, 1)
}

fn one_left(shelf: &mut Shelf) {
    shelf.available_qty -= 1;
    shelf.on_hand -= 1;
}

#[test]
fn every_order_has_a_fate_and_every_fate_an_order() {
    for orders in [1, 5, 15, 16, 99, 100, 300, 1_001] {
        let fates = deal(orders);
        assert_eq!(fates.len(), orders);
        let met = Fate::SHARES.iter().filter(|(fate, _)| fates.contains(fate)).count();
        assert_eq!(met, orders.min(Fate::SHARES.len()), "{orders} orders");
    }
    assert_eq!(Fate::SHARES.iter().map(|(_, share)| share).sum::<usize>(), 100);
}

#[test]
fn the_expected_endings_add_up() {
    for (fate, _) in Fate::SHARES {
        for orders in [1, 2, 60] {
            let sum: usize = fate.expected(orders).iter().map(|(_, count)| count).sum();
            assert_eq!(sum, orders, "{fate:?}");
        }
    }
}

#[test]
fn sound_books_balance() {
    let books = one_delivered(papers(1250, 0), one_left);
    assert!(books.wrong.is_empty(), "{:?}", books.wrong);
    assert_eq!((books.agreed, books.money.owed), (1, 1250));
}

#[test]
fn whatever_is_amiss_is_noticed() {
    let differing = || {
        let subject = Subject::Order(OrderId(Uuid::nil()));
        let sides = ["order", "inventory"].map(|by| Statement::new(by, "something else"));
        let mut papers = papers(1250, 0);
        papers.outcome.disagreements.push(Disagreement {
            subject,
            aspect: Aspect::Reservation,
            sides,
        });
        papers
    };
    let cases: [(Books, &str); 3] = [
        (one_delivered(papers(1250, 0), |_| {}), "stock of DEMO-"),
        (one_delivered(papers(0, 0), one_left), "its fulfilled orders come to 12.50"),
        (one_delivered(differing(), one_left), "inventory says: something else"),
    ];
    for (books, expected) in cases {
        assert!(books.wrong.iter().any(|wrong| wrong.contains(expected)), "{:?}", books.wrong);
    }
}

#[test]
fn an_unmet_fate_and_an_unlisted_order_are_noticed() {
    let catalogue = Catalogue::for_run(&[Fate::PaymentRefused]);
    let stories = [story(&catalogue, Fate::PaymentRefused, Ending::Cancelled("customer".into()))];
    let papers = papers(0, 0);
    let books = balance(&catalogue, &stories, &papers, &shelves(&catalogue), 0);
    assert_eq!(
        books.wrong,
        [
            "fate \"payment declined\": expected 1 CANCELLED (payment), got 1 CANCELLED (customer)",
            "orders: 1 were accepted, 0 are listed",
        ]
    );
}

#[test]
fn requests_say_what_the_contract_asks() {
    let catalogue = Catalogue::for_run(&[Fate::OneProduct]);
    let written = |fate| serde_json::to_string(&basket::fill(&catalogue, fate, 0).request).unwrap();
    let full = written(Fate::Undeliverable);
    assert!(full.contains(r#""unit_price":12.50"#), "exact, with its decimals: {full}");
    assert!(full.contains("TEST-UNDELIVERABLE") && full.contains(r#""currency":"USD""#), "{full}");
    let short = written(Fate::ShortForm);
    assert!(short.contains(r#""quantity":1,"total_amount":49.90"#), "{short}");
    assert!(written(Fate::UnknownProduct).contains("-NOWHERE"));
}

#[test]
fn an_order_rests_when_its_saga_does() {
    let order = |status: &str, saga: &str| -> OrderView {
        serde_json::from_value(serde_json::json!({
            "order_id": "o", "status": status, "saga": { "status": saga, "step": null },
            "failure": { "step": "payment", "reason": "declined" }, "total_amount": 12.5,
        }))
        .unwrap()
    };
    assert_eq!(order("CONFIRMED", "COMPLETED").ending(), Ending::Confirmed);
    assert!(!order("CONFIRMED", "COMPENSATING").is_at_rest());
    assert_eq!(order("CANCELLED", "COMPENSATED").ending(), Ending::Cancelled("payment".into()));
    assert_eq!(order("CANCELLED", "COMPENSATED").total_amount, 1250);
    let stuck = order("PAYMENT_FAILED", "FAILED").ending();
    assert_eq!(stuck, Ending::Lost("PAYMENT_FAILED, saga FAILED".into()));
}

#[test]
fn columns_stand_under_their_heading() {
    let mut table = table::Table::new(&["name", ">n"]);
    table.row(vec!["a".into(), "1".into()], true);
    table.row(vec!["longer".into(), "100".into()], false);
    let text = table.render(table::Paint { on: false });
    assert_eq!(text, "  name      n\n  a         1  ✓\n  longer  100  ✗\n");
}
