//! The payment service's table on SQLite, held against the one in memory.

use crate::contract;
use crate::scratch::Scratch;
use ordermill_actors::clock::Timestamp;
use ordermill_actors::ids::OrderId;
use ordermill_actors::messages::{Flow, Origin, PaymentProcess, Plan};
use ordermill_actors::money::{Currency, Money};
use ordermill_actors::payment::memory::PaymentTables as MemoryPayments;
use ordermill_actors::payment::{
    Charge, GatewayAnswer, GatewayReply, Input, Now, Payment, PaymentChange, PaymentPolicy,
    PaymentReads, PaymentService, Undone, apply, decide,
};
use ordermill_actors::ports::{Outbox, Store};
use ordermill_actors::runtime::service::{Batch, Outcome, Upkeep};
use ordermill_actors::testing::MemoryStore;
use ordermill_sqlite::payment::{MIGRATIONS, PaymentDatabase, PaymentTables};
use ordermill_sqlite::{Database, SqliteStore};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const AMOUNT: Money = Money { minor: 4_990, currency: Currency::USD };

fn order(n: u128) -> OrderId {
    OrderId(Uuid::from_u128(n << 64 | 5))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::new(seconds, 123_456_789)
}

fn origin(n: u128) -> Origin {
    let (flow, plan) = (Flow::default(), Plan::PaymentFirst);
    Origin { order_id: order(n), flow, plan, request_id: Some("r\u{0}\"é".into()) }
}

fn process(n: u128) -> Input {
    let method = "credit_card".to_owned();
    let customer_id = "c 😀".to_owned();
    Input::Process(origin(n), PaymentProcess { total: AMOUNT, method, customer_id })
}

fn answered(attempt: u32, reply: GatewayReply) -> Input {
    Input::Answered(GatewayAnswer { attempt, result: Ok(reply) })
}

fn approved() -> Input {
    let transaction_id = "t-1".to_owned();
    answered(1, GatewayReply::Charge(Charge::Approved { transaction_id, amount: AMOUNT }))
}

fn declined() -> Input {
    answered(1, GatewayReply::Charge(Charge::Declined { reason: "declined".to_owned() }))
}

fn undone() -> Input {
    answered(2, GatewayReply::Undone(Undone { refunded: Some(AMOUNT) }))
}

/// The changes that a payment's actor would hand in for these inputs, one a second.
fn story(n: u128, inputs: &[Input]) -> Vec<PaymentChange> {
    let policy = PaymentPolicy::default();
    let mut payment: Option<Payment> = None;
    let mut changes = Vec::new();
    for (version, input) in inputs.iter().enumerate() {
        let at = at(version as u64);
        for event in decide(payment.as_ref(), input, Now { at, policy: &policy }).events {
            payment = Some(apply(payment, event, at).unwrap());
        }
        changes.push(PaymentChange {
            order_id: order(n),
            expected: version as u64,
            payment: payment.clone().map(Arc::new),
            message: payment.as_ref().and_then(Payment::outcome),
        });
    }
    changes
}

fn batch(changes: Vec<PaymentChange>) -> Batch<PaymentService> {
    let world = contract::world();
    let (service, upkeep) = (Arc::new(PaymentService), Upkeep::default());
    Batch { service, changes, upkeep, at: world.now(), world }
}

type Stores =
    (MemoryStore<MemoryPayments>, SqliteStore<PaymentService, PaymentTables>, PaymentDatabase);

async fn open(scratch: &Scratch) -> Stores {
    let database = Database::open(&scratch.open(), "payment", &MIGRATIONS).await.unwrap();
    let store = SqliteStore::new(database.clone(), PaymentTables);
    (MemoryStore::default(), store, PaymentDatabase(database))
}

/// Commits to both; the outcomes, which must be the same.
async fn commit(stores: &Stores, changes: &[PaymentChange]) -> Vec<Outcome<()>> {
    let memory = stores.0.commit(&batch(changes.to_vec())).await.unwrap();
    let sqlite = stores.1.commit(&batch(changes.to_vec())).await.unwrap();
    assert_eq!(sqlite.outcomes, memory.outcomes);
    let said = |rows: &[ordermill_actors::runtime::outbox::OutboxRow]| -> Vec<String> {
        rows.iter().map(|row| row.to_json()).collect()
    };
    assert_eq!(said(&sqlite.outbox), said(&memory.outbox));
    sqlite.outcomes
}

fn all_done(outcomes: &[Outcome<()>]) -> bool {
    outcomes.iter().all(|outcome| *outcome == Outcome::Done(()))
}

/// What both read must be the same.
async fn compare(memory: &impl PaymentReads, sqlite: &impl PaymentReads) {
    for n in 0..8 {
        let row = sqlite.payment(order(n)).await.unwrap();
        assert_eq!(row, memory.payment(order(n)).await.unwrap());
    }
    let times =
        [at(0), at(10), at(11), at(12), at(1_000), chrono::DateTime::<chrono::Utc>::MAX_UTC];
    for before in times {
        for after in [None, Some(order(1)), Some(order(3))] {
            for limit in [1, 2, 100] {
                let due = sqlite.due(before, after, limit).await.unwrap();
                assert_eq!(due, memory.due(before, after, limit).await.unwrap(), "{before}");
            }
        }
    }
}

#[tokio::test]
async fn rows_are_read_back_as_they_were_written() {
    let scratch = Scratch::new();
    let stores = open(&scratch).await;
    let refund = |n| Input::Refund(origin(n));
    let stories = [
        story(0, &[process(0)]),
        story(1, &[process(1), approved()]),
        story(2, &[process(2), declined()]),
        story(3, &[process(3), refund(3)]),
        story(4, &[process(4), approved(), refund(4)]),
        story(5, &[process(5), refund(5), undone()]),
        story(6, &[refund(6)]),
    ];
    // Each story's first change in one batch, the rest in another: inserts, and updates that fold.
    let firsts: Vec<_> = stories.iter().map(|story| story[0].clone()).collect();
    assert!(all_done(&commit(&stores, &firsts).await));
    compare(&stores.0, &stores.2).await;
    let rest: Vec<_> = stories.iter().flat_map(|story| story[1..].to_vec()).collect();
    assert!(all_done(&commit(&stores, &rest).await));
    compare(&stores.0, &stores.2).await;
    assert_eq!(stores.2.due(at(1_000), None, 100).await.unwrap(), [order(0), order(3), order(4)]);

    let (memory, store, database) = stores;
    database.0.close().await;
    drop((store, database));
    let (_, store, database) = open(&scratch).await;
    compare(&memory, &database).await;
    let said: usize =
        store.waiting(None, 100).await.unwrap().iter().map(|r| r.parcels().len()).sum();
    assert!(said > 0, "what was decided to be said is kept beside it");
}

#[tokio::test]
async fn a_change_decided_on_another_version_is_refused_with_all_that_follow_it() {
    let scratch = Scratch::new();
    let stores = open(&scratch).await;
    let told = story(1, &[process(1), approved(), Input::Refund(origin(1))]);
    assert_eq!(commit(&stores, &told[..1]).await, [Outcome::Done(())]);
    let changes = [&told[..], &story(2, &[process(2)])[..]].concat();
    let refused = [Outcome::Refused, Outcome::Refused, Outcome::Refused, Outcome::Done(())];
    assert_eq!(commit(&stores, &changes).await, refused);
    assert_eq!(stores.2.payment(order(1)).await.unwrap().unwrap().version, 1);
    compare(&stores.0, &stores.2).await;

    // A change that writes nothing and only says the outcome again is decided on the row all the same.
    let again = |expected| {
        let message = told[1].message.clone();
        [PaymentChange { order_id: order(1), expected, payment: None, message }]
    };
    assert_eq!(commit(&stores, &again(2)).await, [Outcome::Refused]);
    assert_eq!(commit(&stores, &again(1)).await, [Outcome::Done(())]);
    compare(&stores.0, &stores.2).await;
}

#[tokio::test]
async fn a_thousand_payments_are_one_batch() {
    let scratch = Scratch::new();
    let stores = open(&scratch).await;
    let changes: Vec<_> = (0..1_000).flat_map(|n| story(n, &[process(n), approved()])).collect();
    assert!(all_done(&commit(&stores, &changes).await));
    compare(&stores.0, &stores.2).await;
}
