//! The ledger's promises, through any sequence of requests and visits on any keys, in batches of any size.

use super::*;
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::money::{Currency, Money};
use crate::payment::{
    GatewayError, GatewayKey, GatewayPayment, GatewayRequest, Operation, PaymentPart, Reference,
    Ruling, Subject, Terms,
};
use crate::service::{Outcome, Service};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use uuid::Uuid;

const AMOUNT: Money = Money { minor: 4_990, currency: Currency::USD };
const PAGE_TIME: u64 = 60;
const METHODS: [&str; 11] = [
    "credit_card",
    "test_declined",
    "test_timeout_charged",
    "test_timeout_uncharged",
    "test_slow",
    "test_refund_fails",
    "test_redirect",
    "test_redirect_silent",
    "test_redirect_late",
    "test_review",
    "test_refund_by_hand",
];

fn at(second: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(second)
}

fn order(n: usize) -> OrderId {
    OrderId(Uuid::from_u128(n as u128))
}

fn key(n: usize) -> GatewayKey {
    GatewayKey::of(order(n))
}

/// The number of the method in [`METHODS`], which is that of the order that pays by it.
fn paying_by(method: &str) -> usize {
    METHODS.iter().position(|known| *known == method).unwrap()
}

fn request(n: usize, operation: Operation) -> GatewayRequest {
    let subject = Subject {
        key: key(n),
        order_id: order(n),
        due: AMOUNT,
        method: METHODS[n].to_owned(),
        reference: Reference::default(),
        page_ends_at: None,
    };
    GatewayRequest { subject, operation }
}

fn ask(n: usize, operation: Operation) -> GatewayChange {
    GatewayChange::Ask(request(n, operation))
}

fn create(n: usize) -> GatewayChange {
    let terms = Terms { at: at(0), expires_at: at(PAGE_TIME), refundable_only: false };
    ask(n, Operation::Create(terms))
}

fn refund(n: usize, name: &str, minor: i64) -> GatewayChange {
    let amount = Money { minor, ..AMOUNT };
    let (key, reason) = (key(n).part(name), "returned".to_owned());
    ask(n, Operation::Refund(PaymentPart { key, amount, asked_at: at(0), reason }))
}

fn visit(n: usize, visit: Visit) -> GatewayChange {
    GatewayChange::Visit(key(n), visit)
}

fn changes() -> impl Strategy<Value = Vec<GatewayChange>> {
    let change = (0..METHODS.len(), 0..14_u8).prop_map(|(n, what)| match what {
        0..=2 => create(n),
        3 => ask(n, Operation::Retrieve),
        4 => ask(n, Operation::Cancel),
        5 => ask(n, Operation::Review(Ruling::Accept)),
        6 => ask(n, Operation::Review(Ruling::Deny)),
        7 => visit(n, Visit::Pay),
        8 => visit(n, Visit::Decline),
        9 => visit(n, Visit::Choose),
        10 => refund(n, "one", 1_990),
        11 => refund(n, "two", 3_000),
        12 => refund(n, "three", 3_000),
        _ => refund(n, "one", 1),
    });
    prop::collection::vec(change, 0..60)
}

type Ledger = BTreeMap<GatewayKey, Entry>;

/// Decides a batch on the ledger.
fn decide(ledger: &mut Ledger, batch: &[GatewayChange], at: Timestamp) -> Vec<GatewayResponse> {
    let policy = GatewayPolicy { pages_url: "http://pages".into(), ..GatewayPolicy::default() };
    let keys = SimulatedGateway::keys(batch);
    let rows: HashMap<_, _> =
        keys.iter().filter_map(|key| Some((*key, ledger.get(key)?.clone()))).collect();
    let decided = SimulatedGateway { policy }.decide_batch(rows, batch, at);
    assert!(decided.messages.is_empty());
    for entry in decided.writes.inserted {
        assert!(ledger.insert(entry.key, entry).is_none());
    }
    for entry in decided.writes.updated {
        assert!(ledger.insert(entry.key, entry).is_some());
    }
    let done = |outcome| match outcome {
        Outcome::Done(response) => response,
        Outcome::Refused => panic!("no change is refused"),
    };
    decided.outcomes.into_iter().map(done).collect()
}

/// The same for changes at one moment, in batches of a size.
fn decide_all(changes: &[GatewayChange], size: usize) -> (Vec<GatewayResponse>, Ledger) {
    let mut ledger = Ledger::new();
    let batches = changes.chunks(size);
    let answers = batches.flat_map(|batch| decide(&mut ledger, batch, at(1))).collect();
    (answers, ledger)
}

/// A ledger to which one change at a time is put, at a second.
#[derive(Default)]
struct Gateway(Ledger);

impl Gateway {
    fn respond(&mut self, second: u64, change: GatewayChange) -> GatewayResponse {
        decide(&mut self.0, &[change], at(second)).remove(0)
    }

    fn answer(
        &mut self,
        second: u64,
        change: GatewayChange,
    ) -> Result<GatewayPayment, GatewayError> {
        match self.respond(second, change).answer {
            LedgerAnswer::Asked(answer) => answer.map(|payment| *payment),
            other => panic!("expected an answer to a request: {other:?}"),
        }
    }

    fn code(&mut self, second: u64, change: GatewayChange) -> String {
        match self.answer(second, change) {
            Err(GatewayError::Rejected { code, .. }) => code,
            other => panic!("expected a rejection: {other:?}"),
        }
    }

    fn retrieve(&mut self, second: u64, n: usize) -> GatewayPayment {
        self.answer(second, ask(n, Operation::Retrieve)).unwrap()
    }

    fn visit(&mut self, second: u64, n: usize, what: Visit) -> (VisitOutcome, Option<i64>) {
        let response = self.respond(second, visit(n, what));
        let LedgerAnswer::Visited(outcome) = response.answer else { panic!("{response:?}") };
        (outcome, response.notification.map(|told| told.claimed_minor))
    }
}

proptest! {
    #[test]
    fn a_batch_is_its_changes_one_after_the_other(changes in changes(), size in 1_usize..20) {
        prop_assert_eq!(decide_all(&changes, size), decide_all(&changes, 1));
    }

    #[test]
    fn a_key_is_captured_once_and_never_more_refunded(changes in changes()) {
        let mut gateway = Gateway::default();
        let mut before = Ledger::new();
        // Two changes a second: money comes late in between, and pages end at the 60th.
        for (index, change) in changes.into_iter().enumerate() {
            let (second, key) = (30 + index as u64 / 2, change.key());
            gateway.respond(second, change);
            let Some(entry) = gateway.0.get(&key) else { continue };
            prop_assert!(entry.captured_minor == 0 || entry.captured_minor == AMOUNT.minor);
            prop_assert!((0..=entry.captured_minor).contains(&entry.refunded_minor));
            prop_assert_eq!(entry.captured_minor > 0, entry.is_captured());
            prop_assert_eq!(entry.held_minor() > 0, entry.status == EntryStatus::Charged);
            let by_key: i64 = entry.details.refunds.iter().map(|refund| refund.amount_minor).sum();
            let released = entry.details.review == Some(Review::Denied);
            let all = if released { entry.captured_minor } else { by_key };
            prop_assert_eq!(entry.refunded_minor, all);
            if let Some(known) = before.insert(key, entry.clone()) {
                prop_assert!(known.captured_minor <= entry.captured_minor);
                prop_assert!(known.refunded_minor <= entry.refunded_minor);
            }
        }
    }

    #[test]
    fn after_a_cancel_no_money_comes_but_by_the_method_that_is_late(changes in changes()) {
        let mut gateway = Gateway::default();
        let mut cancelled = BTreeMap::new();
        for change in changes {
            let key = change.key();
            let cancels =
                matches!(&change, GatewayChange::Ask(it) if it.operation == Operation::Cancel);
            gateway.respond(1, change);
            let Some(entry) = gateway.0.get(&key) else { continue };
            if cancels {
                cancelled.entry(key).or_insert(entry.captured_minor);
            }
            let captured = cancelled.get(&key).copied();
            prop_assert_eq!(entry.captured_minor, captured.unwrap_or(entry.captured_minor));
        }
        for (key, captured) in cancelled {
            let n = (0..METHODS.len()).find(|n| self::key(*n) == key).unwrap();
            let later = gateway.retrieve(100, n).captured_minor;
            prop_assert!(later == captured || METHODS[n] == "test_redirect_late");
        }
    }

    #[test]
    fn the_same_request_twice_is_the_same_as_once(changes in changes()) {
        let doubled: Vec<_> = changes.iter().flat_map(|it| [it.clone(), it.clone()]).collect();
        // Counts differ, and so do methods that depend on them.
        let counts = ["test_timeout_uncharged", "test_timeout_charged", "test_refund_fails"];
        let state = |changes: &[GatewayChange]| {
            let mut ledger = decide_all(changes, 1).1;
            ledger.retain(|_, entry| {
                (entry.charge_attempts, entry.refund_attempts) = (0, 0);
                !entry.booking.as_ref().is_some_and(|it| counts.contains(&it.method.as_str()))
            });
            ledger
        };
        prop_assert_eq!(state(&doubled), state(&changes));
    }
}

#[test]
fn a_test_method_plays_its_part_and_a_repeated_create_is_answered_alike() {
    let answers = |method| {
        let mut gateway = Gateway::default();
        [(); 4].map(|()| gateway.respond(1, create(paying_by(method))))
    };
    let captured = |response: &GatewayResponse| match &response.answer {
        LedgerAnswer::Asked(Ok(payment)) => Some(payment.captured_minor),
        LedgerAnswer::Asked(Err(_)) | LedgerAnswer::Silence | LedgerAnswer::Visited(_) => None,
    };
    for (method, expected) in [
        ("credit_card", [Some(AMOUNT.minor); 4]),
        ("test_declined", [Some(0); 4]),
        ("test_timeout_charged", [None, None, Some(AMOUNT.minor), Some(AMOUNT.minor)]),
        ("test_timeout_uncharged", [None, None, Some(AMOUNT.minor), Some(AMOUNT.minor)]),
        ("test_refund_by_hand", [Some(AMOUNT.minor); 4]),
        ("test_redirect", [Some(0); 4]),
    ] {
        assert_eq!(answers(method).each_ref().map(captured), expected, "{method}");
    }
    let delays = answers("test_slow").map(|response| response.delay.as_secs());
    assert_eq!(delays, [2, 0, 0, 0]);
}

#[test]
fn the_silent_create_is_booked_by_one_method_and_not_by_the_other() {
    for (method, held) in [("test_timeout_charged", AMOUNT.minor), ("test_timeout_uncharged", 0)] {
        let (_, ledger) = decide_all(&[create(paying_by(method))], 1);
        assert_eq!(ledger[&key(paying_by(method))].held_minor(), held);
    }
}

#[test]
fn a_payment_without_a_page_is_captured_or_refused_at_once() {
    let mut gateway = Gateway::default();
    let paid = gateway.answer(1, create(0)).unwrap();
    assert_eq!((paid.captured_minor, paid.credited_minor), (AMOUNT.minor, AMOUNT.minor));
    assert!(paid.closed && paid.refused.is_none() && paid.reference.payment.is_some());
    assert!(gateway.0[&key(0)].details.is_empty(), "an ordinary payment stores no details");
    let declined = gateway.answer(1, create(1)).unwrap();
    assert_eq!((declined.refused.as_deref(), declined.closed), (Some("declined"), true));
}

#[test]
fn a_cancelled_key_refuses_a_create_and_what_was_captured_stays() {
    let mut gateway = Gateway::default();
    assert!(gateway.answer(1, ask(0, Operation::Cancel)).unwrap().closed);
    let late = gateway.answer(2, create(0)).unwrap();
    assert_eq!((late.refused.as_deref(), late.captured_minor), (Some("cancelled"), 0));
    let mut gateway = Gateway::default();
    gateway.answer(1, create(0)).unwrap();
    let cancelled = gateway.answer(2, ask(0, Operation::Cancel)).unwrap();
    assert_eq!((cancelled.captured_minor, cancelled.refunded_minor), (AMOUNT.minor, 0));
    assert_eq!(gateway.answer(3, create(0)).unwrap(), cancelled);
}

#[test]
fn a_key_is_good_for_one_payment_only() {
    let mut gateway = Gateway::default();
    gateway.answer(1, create(0)).unwrap();
    let GatewayChange::Ask(mut other) = create(0) else { unreachable!("it is a request") };
    other.subject.due.minor = 1;
    assert_eq!(gateway.code(1, GatewayChange::Ask(other)), "key_reused");
    assert_eq!(gateway.retrieve(1, 0).captured_minor, AMOUNT.minor);
}

#[test]
fn refunds_add_up_each_once_and_never_exceed_the_capture() {
    let mut gateway = Gateway::default();
    assert_eq!(gateway.code(1, refund(0, "one", 1)), "not_captured");
    gateway.answer(1, create(0)).unwrap();
    for _ in 0..2 {
        let payment = gateway.answer(2, refund(0, "one", 1_990)).unwrap();
        assert_eq!((payment.refunded_minor, payment.refunds.len()), (1_990, 1));
    }
    assert_eq!(gateway.code(2, refund(0, "one", 1_991)), "key_reused");
    for wrong in [3_001, 0, -1] {
        assert_eq!(gateway.code(2, refund(0, "two", wrong)), "wrong_amount");
    }
    let payment = gateway.answer(2, refund(0, "two", 3_000)).unwrap();
    assert_eq!((payment.refunded_minor, payment.refunds.len()), (AMOUNT.minor, 2));
    assert_eq!(gateway.0[&key(0)].status, EntryStatus::Refunded);
    let part = key(0).part("capture");
    let part = PaymentPart { key: part, amount: AMOUNT, asked_at: at(0), reason: String::new() };
    assert_eq!(gateway.code(2, ask(0, Operation::Capture(part))), "nothing_held");
}

#[test]
fn a_refund_fails_five_times_or_is_never_possible() {
    let mut gateway = Gateway::default();
    let fails = paying_by("test_refund_fails");
    gateway.answer(1, create(fails)).unwrap();
    for _ in 0..5 {
        let answer = gateway.answer(1, refund(fails, "one", 10));
        assert_eq!(answer, Err(GatewayError::Unknown("the refund failed".to_owned())));
    }
    assert_eq!(gateway.answer(1, refund(fails, "one", 10)).unwrap().refunded_minor, 10);
    let by_hand = paying_by("test_refund_by_hand");
    gateway.answer(1, create(by_hand)).unwrap();
    assert_eq!(gateway.answer(1, refund(by_hand, "one", 10)), Err(GatewayError::NotSupported));
}

#[test]
fn a_customer_pays_at_the_page_once_and_it_is_told_where_the_method_tells() {
    for (method, told) in [("test_redirect", true), ("test_redirect_silent", false)] {
        let (mut gateway, n) = (Gateway::default(), paying_by(method));
        assert_eq!(gateway.visit(1, n, Visit::Pay), (VisitOutcome::NoPage, None));
        let page = gateway.answer(1, create(n)).unwrap().page.unwrap();
        assert_eq!(page.url, format!("http://pages/{}", key(n)));
        assert_eq!(page.expires_at, at(PAGE_TIME));
        assert_eq!(gateway.visit(2, n, Visit::Leave), (VisitOutcome::Abandoned, None));
        let denied = (VisitOutcome::Denied, told.then_some(0));
        assert_eq!(gateway.visit(2, n, Visit::Decline), denied);
        let open = gateway.retrieve(2, n);
        assert!(open.page.is_some() && !open.closed);
        assert_eq!(open.last_try.unwrap().denied.as_deref(), Some("declined"));
        let chosen = (VisitOutcome::Chosen, told.then_some(0));
        assert_eq!(gateway.visit(2, n, Visit::Choose), chosen);
        let open = gateway.retrieve(2, n);
        assert_eq!((open.last_try.unwrap().denied, open.captured_minor), (None, 0));
        let ended = gateway.retrieve(PAGE_TIME, n);
        assert_eq!((ended.last_try, ended.closed), (None, true), "no try outlives its page");
        let paid = (VisitOutcome::Paid, told.then_some(AMOUNT.minor));
        assert_eq!(gateway.visit(3, n, Visit::Pay), paid);
        assert_eq!(gateway.visit(4, n, Visit::Pay), (VisitOutcome::PaidBefore, None));
        let after = gateway.retrieve(4, n);
        assert_eq!((after.captured_minor, after.page, after.closed), (AMOUNT.minor, None, true));
    }
}

#[test]
fn a_page_ends_when_it_was_to_end_and_a_second_one_replaces_it() {
    let (mut gateway, n) = (Gateway::default(), paying_by("test_redirect"));
    gateway.answer(1, create(n)).unwrap();
    assert!(!gateway.retrieve(PAGE_TIME - 1, n).closed);
    let ended = gateway.retrieve(PAGE_TIME, n);
    assert_eq!((ended.closed, ended.page, ended.captured_minor), (true, None, 0));
    assert_eq!(gateway.visit(PAGE_TIME, n, Visit::Pay), (VisitOutcome::Closed, None));
    let terms = Terms { at: at(60), expires_at: at(120), refundable_only: false };
    let again = gateway.answer(PAGE_TIME, ask(n, Operation::Create(terms))).unwrap();
    assert_eq!(again.page.unwrap().expires_at, at(120));
    gateway.answer(70, ask(n, Operation::Cancel)).unwrap();
    assert_eq!(gateway.visit(71, n, Visit::Pay), (VisitOutcome::Closed, None));
    assert_eq!(gateway.answer(72, create(n)).unwrap().page, None);
}

#[test]
fn money_of_a_cancelled_page_comes_late_and_is_told_once() {
    let (mut gateway, n) = (Gateway::default(), paying_by("test_redirect_late"));
    gateway.answer(1, create(n)).unwrap();
    let cancelled = gateway.respond(5, ask(n, Operation::Cancel));
    assert_eq!(cancelled.late_at, Some(at(5) + LATE_MONEY_AFTER));
    let LedgerAnswer::Asked(Ok(payment)) = cancelled.answer else { panic!("it is cancelled") };
    assert_eq!((payment.closed, payment.captured_minor), (true, 0));
    let later = gateway.respond(6, ask(n, Operation::Retrieve));
    assert_eq!(later.notification.unwrap().claimed_minor, AMOUNT.minor);
    let again = gateway.respond(7, ask(n, Operation::Retrieve));
    assert_eq!((again.notification, again.late_at), (None, None));
    assert_eq!(gateway.retrieve(7, n).captured_minor, AMOUNT.minor);
}

#[test]
fn money_in_review_waits_for_a_ruling() {
    let n = paying_by("test_review");
    let reviewed = |operation: Operation| {
        let mut gateway = Gateway::default();
        let waiting = gateway.answer(1, create(n)).unwrap();
        assert_eq!((waiting.in_review, waiting.captured_minor), (true, AMOUNT.minor));
        assert_eq!(gateway.code(1, refund(n, "one", 1)), "in_review");
        let after = gateway.answer(2, ask(n, operation.clone())).unwrap();
        assert_eq!(gateway.answer(3, ask(n, operation)).unwrap(), after, "repeated");
        (gateway, after)
    };
    let (mut gateway, accepted) = reviewed(Operation::Review(Ruling::Accept));
    assert_eq!((accepted.in_review, accepted.refunded_minor), (false, 0));
    assert_eq!(gateway.code(4, ask(n, Operation::Review(Ruling::Deny))), "not_in_review");
    for denied in [Operation::Review(Ruling::Deny), Operation::Cancel] {
        let (mut gateway, after) = reviewed(denied);
        assert_eq!((after.in_review, after.refunded_minor), (false, AMOUNT.minor));
        assert_eq!(gateway.code(4, ask(n, Operation::Review(Ruling::Accept))), "not_in_review");
    }
    let mut gateway = Gateway::default();
    gateway.answer(1, create(0)).unwrap();
    assert_eq!(gateway.code(1, ask(0, Operation::Review(Ruling::Accept))), "not_in_review");
}

#[test]
fn a_key_that_is_only_looked_at_makes_no_entry() {
    let mut gateway = Gateway::default();
    let unknown = gateway.retrieve(1, 0);
    assert!(!unknown.closed && unknown.refused.is_none() && unknown.captured_minor == 0);
    assert!(gateway.0.is_empty());
}
