//! The payment service: versioned payments, and which of them somebody must see to.

use crate::backend::Backend;
use crate::batches::{batch, insist, on_both};
use crate::records;
use crate::values::{AWKWARD, at, order, origin};
use futures::future::join_all;
use ordermill_actors::payment::PaymentReads;
use ordermill_actors::payment::memory::PaymentTables;
use ordermill_actors::registry::Opened;
use ordermill_actors::testing::MemoryStore;
use ordermill_domain::messages::{Origin, PaymentProcess};
use ordermill_domain::money::{AMOUNT_MAX_MINOR, Currency, Money};
use ordermill_domain::payment::{
    Attention, GatewayAnswer, GatewayPayment, NotificationOutcome, Now, Payment, PaymentChange,
    PaymentInput, PaymentPolicy, PaymentService, Reference, decide,
};
use ordermill_domain::service::{Batch, Outcome};
use std::sync::Arc;
use std::time::Duration;

type Model = MemoryStore<PaymentTables>;

const AMOUNT: Money = Money { minor: 4_990, currency: Currency::USD };

fn process(n: u128) -> PaymentInput {
    let (method, customer_id) = ("credit_card".to_owned(), "anna".to_owned());
    PaymentInput::Process(
        origin(n),
        PaymentProcess { total: AMOUNT, method, customer_id, placed_at: at(0) },
    )
}

fn undo(n: u128) -> PaymentInput {
    PaymentInput::Undo(origin(n))
}

fn answered(attempt: u32, stands: GatewayPayment) -> PaymentInput {
    PaymentInput::Answered(GatewayAnswer { attempt, result: Ok(stands) })
}

fn captured(amount: Money) -> GatewayPayment {
    GatewayPayment {
        captured_minor: amount.minor,
        credited_minor: amount.minor,
        closed: true,
        reference: Reference { page: None, payment: Some(AWKWARD.to_owned()) },
        ..GatewayPayment::default()
    }
}

fn approved(amount: Money) -> PaymentInput {
    answered(1, captured(amount))
}

fn declined() -> PaymentInput {
    let refused = Some(AWKWARD.to_owned());
    answered(1, GatewayPayment { refused, closed: true, ..GatewayPayment::default() })
}

fn undone() -> PaymentInput {
    answered(2, GatewayPayment { refunded_minor: AMOUNT.minor, ..captured(AMOUNT) })
}

/// The changes that a payment's actor would hand in for these inputs, one a second.
fn scenario(n: u128, inputs: &[PaymentInput]) -> Vec<PaymentChange> {
    let policy = PaymentPolicy::default();
    let mut payment: Option<Payment> = None;
    let mut changes = Vec::new();
    for (version, input) in (0..).zip(inputs) {
        let at = at(version);
        let decision = decide(payment.as_ref(), input, Now { at, policy: &policy });
        payment = decision.payment.or(payment);
        changes.push(PaymentChange {
            order_id: Some(order(n)),
            expected: version,
            payment: payment.clone().map(Arc::new),
            messages: payment.as_ref().and_then(Payment::outcome).into_iter().collect(),
            notification: None,
        });
    }
    changes
}

/// The `nth` change of each of these orders' payments: first it is charged, then it is approved.
pub fn paying(orders: impl IntoIterator<Item = u128>, nth: usize) -> Batch<PaymentService> {
    let change = |n| scenario(n, &[process(n), approved(AMOUNT)]).swap_remove(nth);
    batch(PaymentService, orders.into_iter().map(change).collect(), at(1))
}

struct Stores {
    model: Model,
    opened: Opened<PaymentService>,
}

impl Stores {
    async fn open(backend: &dyn Backend) -> Self {
        Self { model: Model::default(), opened: backend.payment().await.unwrap() }
    }

    async fn commit(&self, changes: &[PaymentChange]) -> Vec<Outcome<Option<NotificationOutcome>>> {
        on_both(&PaymentService, &self.model, &*self.opened.store, changes, at(100)).await.0
    }

    /// What both read must be the same.
    async fn compare(&self) {
        for n in 0..8 {
            let row = self.opened.reads.payment(order(n)).await.unwrap();
            assert_eq!(row, self.model.payment(order(n)).await.unwrap());
        }
        for before in [at(0), at(10), at(11), at(12), at(1_000)] {
            for after in [None, Some(order(1)), Some(order(3))] {
                for limit in [1, 2, 100] {
                    let due = self.opened.reads.due(before, after, limit).await.unwrap();
                    let expected = self.model.due(before, after, limit).await.unwrap();
                    assert_eq!(due, expected, "{before}, {after:?}, {limit}");
                }
            }
        }
        for attention in Attention::ALL.iter().copied().map(Some).chain([None]) {
            for (after, limit) in [(None, 100), (Some(order(3)), 2)] {
                let reads = &self.opened.reads;
                let rows = reads.needing_attention(attention, after, limit).await.unwrap();
                let expected = self.model.needing_attention(attention, after, limit).await.unwrap();
                assert_eq!(rows, expected, "{attention:?}, {after:?}, {limit}");
            }
        }
    }
}

fn all_done(outcomes: &[Outcome<Option<NotificationOutcome>>]) -> bool {
    outcomes.iter().all(|outcome| *outcome == Outcome::Done(None))
}

pub async fn rows_are_read_back_as_they_were_written(backend: &dyn Backend) {
    let mut stores = Stores::open(backend).await;
    let scenarios = [
        scenario(0, &[process(0)]),
        scenario(1, &[process(1), approved(AMOUNT)]),
        scenario(2, &[process(2), declined()]),
        scenario(3, &[process(3), undo(3)]),
        scenario(4, &[process(4), approved(AMOUNT), undo(4)]),
        scenario(5, &[process(5), undo(5), undone()]),
        scenario(6, &[undo(6)]),
    ];
    // Each scenario's first change in one batch, the rest in another: inserts, and updates that fold.
    let firsts: Vec<_> = scenarios.iter().map(|scenario| scenario[0].clone()).collect();
    assert!(all_done(&stores.commit(&firsts).await));
    stores.compare().await;
    let rest: Vec<_> = scenarios.iter().flat_map(|scenario| scenario[1..].to_vec()).collect();
    assert!(all_done(&stores.commit(&rest).await));
    stores.compare().await;
    let due = stores.opened.reads.due(at(1_000), None, 100).await.unwrap();
    assert_eq!(due, [0, 3, 4].map(order));
    let mut statuses = Vec::new();
    for n in 0..7 {
        let row = stores.opened.reads.payment(order(n)).await.unwrap().unwrap();
        statuses.push((row.payment.status().as_str(), row.version));
    }
    let expected = [
        ("PENDING", 1),
        ("APPROVED", 2),
        ("FAILED", 2),
        ("REVERSING", 2),
        ("REVERSING", 3),
        ("REVERSED", 3),
        ("REVERSED", 1),
    ];
    assert_eq!(statuses, expected);

    backend.close().await;
    stores.opened = backend.payment().await.unwrap();
    stores.compare().await;
    records::same(&stores.model, backend.sources().await.payment).await;
}

pub async fn a_change_decided_on_another_version_is_refused_with_all_that_follow_it(
    backend: &dyn Backend,
) {
    let stores = Stores::open(backend).await;
    let told = scenario(1, &[process(1), approved(AMOUNT), undo(1)]);
    assert_eq!(stores.commit(&told[..1]).await, [Outcome::Done(None)]);
    let changes = [&told[..], &scenario(2, &[process(2)])[..]].concat();
    let refused = [Outcome::Refused, Outcome::Refused, Outcome::Refused, Outcome::Done(None)];
    assert_eq!(stores.commit(&changes).await, refused);
    let version = async || stores.opened.reads.payment(order(1)).await.unwrap().unwrap().version;
    assert_eq!(version().await, 1);
    stores.compare().await;

    // A change that writes nothing and only says the outcome again is decided on the row all the same.
    let again = |expected| {
        let messages = told[1].messages.clone();
        [PaymentChange { messages, ..PaymentChange::nothing(order(1), expected) }]
    };
    assert_eq!(stores.commit(&again(2)).await, [Outcome::Refused]);
    assert_eq!(stores.commit(&again(1)).await, [Outcome::Done(None)]);
    assert_eq!(version().await, 1);
    stores.compare().await;
}

pub async fn one_of_two_concurrent_changes_on_a_version_is_refused(backend: &dyn Backend) {
    // Two processes, where the database takes more than one.
    let stores = [backend.payment().await.unwrap().store, backend.payment().await.unwrap().store];
    for n in 0..10 {
        // First two inserts, then two updates.
        for change in scenario(n, &[process(n), approved(AMOUNT)]) {
            let rivals = stores
                .each_ref()
                .map(|store| insist(&**store, batch(PaymentService, vec![change.clone()], at(2))));
            let outcomes: Vec<_> = join_all(rivals).await.into_iter().flatten().collect();
            let refused = outcomes.iter().filter(|outcome| **outcome == Outcome::Refused);
            assert_eq!((outcomes.len(), refused.count()), (2, 1), "{outcomes:?}");
        }
    }
}

pub async fn due_payments_are_read_page_by_page(backend: &dyn Backend) {
    let stores = Stores::open(backend).await;
    let inputs = |n| match n % 3 {
        0 => vec![process(n), declined()],
        _ => vec![process(n)],
    };
    let changes: Vec<_> = (0..20).rev().flat_map(|n| scenario(n, &inputs(n))).collect();
    stores.commit(&changes).await;
    let row = stores.opened.reads.payment(order(1)).await.unwrap().unwrap();
    let due_at = row.due_at().unwrap();
    let mut paged = Vec::new();
    loop {
        let after = paged.last().copied();
        let page = stores.opened.reads.due(due_at, after, 4).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    let expected: Vec<_> = (0..20).filter(|n| n % 3 != 0).map(order).collect();
    assert_eq!(paged, expected);
    let early = due_at - Duration::from_micros(1);
    assert!(stores.opened.reads.due(early, None, 100).await.unwrap().is_empty());
}

pub async fn a_thousand_payments_are_one_batch(backend: &dyn Backend) {
    let stores = Stores::open(backend).await;
    let changes: Vec<_> =
        (0..1_000).flat_map(|n| scenario(n, &[process(n), approved(AMOUNT)])).collect();
    assert!(all_done(&stores.commit(&changes).await));
    stores.compare().await;
    for n in (0..1_000).step_by(99) {
        assert_eq!(stores.opened.reads.payment(order(n)).await.unwrap().unwrap().version, 2);
    }
}

pub async fn the_largest_amount_and_any_text_are_read_back(backend: &dyn Backend) {
    let stores = Stores::open(backend).await;
    let largest = Money { minor: AMOUNT_MAX_MINOR, currency: Currency::parse("JPY").unwrap() };
    let origin = Origin { request_id: Some(AWKWARD.into()), ..origin(1) };
    let (method, customer_id) = (AWKWARD.to_owned(), AWKWARD.repeat(100));
    let intent = PaymentProcess { total: largest, method, customer_id, placed_at: at(0) };
    let process = PaymentInput::Process(origin.clone(), intent.clone());
    stores.commit(&scenario(1, &[process, approved(largest)])).await;
    stores.compare().await;
    let row = stores.opened.reads.payment(order(1)).await.unwrap().unwrap();
    assert_eq!(row.payment.intent.as_ref(), Some(&intent));
    assert_eq!(row.payment.origin, origin);
    assert_eq!(row.view().captured, Some(largest));
    assert_eq!(row.view().transaction_id.as_deref(), Some(AWKWARD));
}
