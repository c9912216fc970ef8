//! The order service: versioned sagas, their history, idempotency keys, the sweeper's claims.

mod lists;
pub mod scenarios;
mod sweeping;

pub use lists::{history_is_read_in_bulk_and_from_where_it_was_left, lists_are_read_page_by_page};
pub use sweeping::{
    overdue_orders_are_claimed_by_one_sweeper_only,
    the_longest_overdue_are_claimed_first_and_a_claim_lapses,
};

use crate::backend::Backend;
use crate::batches::{batch, insist, make, on_both};
use crate::records;
use crate::values::{AWKWARD, at, order, world};
use futures::future::join_all;
use ordermill_actors::order::memory::OrderTables;
use ordermill_actors::order::{DueOrders, OrderFilter, OrderReads};
use ordermill_actors::registry::Opened;
use ordermill_actors::testing::MemoryStore;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::messages::{
    Address, Contact, Flow, Line, OrderDetails, Origin, Plan, Priority,
};
use ordermill_domain::money::{AMOUNT_MAX_MINOR, Currency};
use ordermill_domain::order::facts::Fact;
use ordermill_domain::order::service::{Change, OrderAnswer};
use ordermill_domain::order::{Claim, Order, OrderStatus, Saga, SagaStatus, Step};
use ordermill_domain::service::Outcome;
use scenarios::{compare, learn, placed, scenarios};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

type Model = MemoryStore<OrderTables>;

fn written() -> Outcome<OrderAnswer> {
    Outcome::Done(OrderAnswer::Written)
}

/// Commits to the store alone.
async fn commit(opened: &Opened<Order>, changes: Vec<Change>) -> Vec<Outcome<OrderAnswer>> {
    make(&*opened.store, batch(Order, changes, at(0))).await.0
}

fn claim(order_id: OrderId, key: &str, fingerprint: &[u8]) -> Option<Claim> {
    Some(Claim { key: key.to_owned(), fingerprint: fingerprint.to_vec(), order_id })
}

pub async fn orders_are_the_same_as_in_memory_and_after_a_restart(backend: &dyn Backend) {
    let opened = backend.order().await.unwrap();
    let model = Model::default();
    let mut sagas = [placed(1), placed(2), placed(3)];
    let orders = sagas.each_ref().map(Saga::order_id);

    // Three orders, one of them two changes further, in one batch.
    let mut changes: Vec<Change> =
        sagas.iter_mut().map(|saga| learn(saga, vec![Fact::Placed], at(1))).collect();
    changes.push(learn(&mut sagas[1], vec![Fact::done(Step::Inventory)], at(2)));
    let (outcomes, said) = on_both(&Order, &model, &*opened.store, &changes, at(2)).await;
    assert_eq!(outcomes, [(); 4].map(|()| written()));
    assert_eq!(said.len(), 7, "created and reserve of three, and the payment of one");
    compare(&model, &*opened.reads, &orders).await;

    // Updates, two of one order among them.
    let changes = [
        learn(&mut sagas[0], vec![Fact::done(Step::Inventory)], at(3)),
        learn(&mut sagas[2], vec![Fact::done(Step::Inventory)], at(3)),
        learn(&mut sagas[2], vec![Fact::RetryAsked], at(4)),
    ];
    on_both(&Order, &model, &*opened.store, &changes, at(4)).await;
    compare(&model, &*opened.reads, &orders).await;
    assert_eq!(opened.reads.order(orders[2]).await.unwrap().unwrap(), sagas[2]);
    let counts = opened.reads.counts(at(2)).await.unwrap();
    assert_eq!(counts.iter().map(|count| count.sagas).sum::<u64>(), 3);

    backend.close().await;
    compare(&model, &*backend.order().await.unwrap().reads, &orders).await;
    records::same(&model, backend.sources().await.order).await;
}

pub async fn every_status_is_written_and_read_back(backend: &dyn Backend) {
    let opened = backend.order().await.unwrap();
    let model = Model::default();
    let (mut orders, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for (second, changes) in (0..).zip(scenarios()) {
        orders.extend(changes.iter().map(|change| change.order_id));
        on_both(&Order, &model, &*opened.store, &changes, at(second)).await;
        let since: Vec<_> = orders.iter().map(|order| (*order, 0)).collect();
        for row in opened.reads.history(&since, 1_000).await.unwrap() {
            seen.insert((row.status.as_str(), row.saga_status.as_str()));
        }
        let orders: Vec<_> = orders.iter().copied().collect();
        compare(&model, &*opened.reads, &orders).await;
    }
    let statuses: BTreeSet<_> = seen.iter().map(|(status, _)| *status).collect();
    let missing = OrderStatus::ALL.iter().find(|status| !statuses.contains(status.as_str()));
    assert_eq!(missing, None, "the stories have {statuses:?}");
    let statuses: BTreeSet<_> = seen.iter().map(|(_, status)| *status).collect();
    let missing = SagaStatus::ALL.iter().find(|status| !statuses.contains(status.as_str()));
    assert_eq!(missing, None, "the stories have {statuses:?}");
}

pub async fn a_change_decided_on_another_version_is_refused_with_all_that_follow_it(
    backend: &dyn Backend,
) {
    let opened = backend.order().await.unwrap();
    let model = Model::default();
    let mut sagas = [placed(1), placed(2)];
    let first: Vec<_> =
        sagas.iter_mut().map(|saga| learn(saga, vec![Fact::Placed], at(1))).collect();
    on_both(&Order, &model, &*opened.store, &first, at(1)).await;

    let mut stale = sagas[0].clone();
    stale.version += 1;
    let on_top = learn(&mut stale.clone(), vec![Fact::done(Step::Inventory)], at(2));
    let changes = [
        learn(&mut stale, vec![Fact::done(Step::Inventory)], at(2)),
        // The number fits, but it was decided on top of what was refused.
        Change { expected: 1, ..on_top },
        learn(&mut sagas[1], vec![Fact::done(Step::Inventory)], at(2)),
        first[1].clone(),
    ];
    let (outcomes, said) = on_both(&Order, &model, &*opened.store, &changes, at(2)).await;
    assert_eq!(outcomes, [Outcome::Refused, Outcome::Refused, written(), Outcome::Refused]);
    assert_eq!(said.len(), 1, "only what was written is said: {said:?}");
    compare(&model, &*opened.reads, &[order(1), order(2)]).await;
    assert_eq!(opened.reads.order(order(1)).await.unwrap().unwrap().version, 1);
    let history = opened.reads.history(&[(order(1), 0)], 10).await.unwrap();
    assert_eq!(history.len(), 1, "no history of a refused change");

    // An order that is not there is at version 0.
    let mut unknown = placed(9);
    unknown.version = 4;
    let change = learn(&mut unknown, vec![Fact::Placed], at(3));
    let (outcomes, said) = on_both(&Order, &model, &*opened.store, &[change], at(3)).await;
    assert_eq!((outcomes, said), (vec![Outcome::Refused], Vec::new()));
    assert_eq!(opened.reads.order(order(9)).await.unwrap(), None);
}

pub async fn one_of_two_concurrent_changes_on_a_version_is_refused(backend: &dyn Backend) {
    // Two processes, where the database takes more than one.
    let (opened, other) = (backend.order().await.unwrap(), backend.order().await.unwrap());
    for n in 0..10 {
        let mut saga = placed(n);
        let place = learn(&mut saga, vec![Fact::Placed], at(1));
        let reserve = learn(&mut saga.clone(), vec![Fact::done(Step::Inventory)], at(2));
        // First two inserts, then two updates.
        for change in [place, reserve] {
            let rivals = [&opened, &other]
                .map(|rival| insist(&*rival.store, batch(Order, vec![change.clone()], at(2))));
            let outcomes: Vec<_> = join_all(rivals).await.into_iter().flatten().collect();
            let done = outcomes.iter().filter(|outcome| **outcome == written()).count();
            let refused = outcomes.iter().filter(|outcome| **outcome == Outcome::Refused).count();
            assert_eq!((done, refused), (1, 1), "{outcomes:?}");
        }
        let history = opened.reads.history(&[(order(n), 0)], 10).await.unwrap();
        assert_eq!(history.len(), 2);
    }
}

pub async fn an_idempotency_key_stands_for_its_first_request(backend: &dyn Backend) {
    let opened = backend.order().await.unwrap();
    let model = Model::default();
    let request = |n, key: &str, body: &[u8]| Change {
        claim: claim(order(n), key, body),
        ..learn(&mut placed(n), vec![Fact::Placed], at(1))
    };
    let body = [0, 255, b'\'', b'\\', 0];
    let replayed = || Outcome::Done(OrderAnswer::Replayed(order(1)));
    let reused = || Outcome::Done(OrderAnswer::KeyReused);
    let first = [
        request(1, AWKWARD, &body),
        request(2, AWKWARD, &body),
        request(3, AWKWARD, b"another"),
        request(4, "key-4", b""),
    ];
    let (outcomes, _) = on_both(&Order, &model, &*opened.store, &first, at(1)).await;
    assert_eq!(outcomes, [written(), replayed(), reused(), written()]);
    let second = [request(5, AWKWARD, &body), request(6, AWKWARD, b""), request(7, "key-4", b"")];
    let (outcomes, said) = on_both(&Order, &model, &*opened.store, &second, at(5)).await;
    let fourth = Outcome::Done(OrderAnswer::Replayed(order(4)));
    assert_eq!(outcomes, [replayed(), reused(), fourth]);
    assert!(said.is_empty());
    compare(&model, &*opened.reads, &[1, 4, 5, 6, 7].map(order)).await;

    // Keys are forgotten by age; what they stood for stays.
    let reads: &dyn DueOrders = &*opened.reads;
    assert_eq!(reads.forget_claims(at(1), 10).await.unwrap(), 0);
    let just_after = at(1) + Duration::from_micros(1);
    assert_eq!(reads.forget_claims(just_after, 1).await.unwrap(), 1, "no more than asked for");
    assert_eq!(reads.forget_claims(just_after, 10).await.unwrap(), 1);
    assert_eq!(reads.forget_claims(just_after, 10).await.unwrap(), 0);
    assert_eq!(commit(&opened, vec![request(8, AWKWARD, b"new")]).await, [written()]);
    assert!(opened.reads.order(order(1)).await.unwrap().is_some());

    // Two at once under one key: one order.
    let other = backend.order().await.unwrap();
    let rivals = [(9, &opened), (10, &other)]
        .map(|(n, rival)| insist(&*rival.store, batch(Order, vec![request(n, "k", b"")], at(9))));
    let outcomes: Vec<_> = join_all(rivals).await.into_iter().flatten().collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == written()).count(), 1, "{outcomes:?}");
}

pub async fn five_hundred_orders_are_one_batch(backend: &dyn Backend) {
    let opened = backend.order().await.unwrap();
    let model = Model::default();
    let mut sagas: Vec<_> = (0..500).map(placed).collect();
    let placing: Vec<_> =
        sagas.iter_mut().map(|saga| learn(saga, vec![Fact::Placed], at(1))).collect();
    on_both(&Order, &model, &*opened.store, &placing, at(1)).await;
    let mut changes = Vec::new();
    for saga in &mut sagas {
        changes.push(learn(saga, vec![Fact::done(Step::Inventory)], at(2)));
        changes.push(learn(saga, vec![Fact::RetryAsked], at(3)));
    }
    let (outcomes, _) = on_both(&Order, &model, &*opened.store, &changes, at(3)).await;
    assert!(outcomes.iter().all(|outcome| *outcome == written()));
    let read = opened.reads.orders(&OrderFilter::default(), 1_000).await.unwrap();
    assert_eq!(read, model.orders(&OrderFilter::default(), 1_000).await.unwrap());
    assert_eq!(read.iter().flatten().map(|saga| saga.version).min(), Some(3));
    let counts = opened.reads.counts(at(2)).await.unwrap();
    assert_eq!(counts.iter().map(|count| count.sagas).sum::<u64>(), 500);
}

fn anything() -> Saga {
    let text = |part: &str| Some(format!("{part} {AWKWARD}"));
    let line = |product: &str| Line {
        product_id: ProductId::from(product),
        quantity: Line::QUANTITY_MAX,
        unit_price_minor: None,
        amount_minor: AMOUNT_MAX_MINOR,
    };
    let details = OrderDetails {
        customer_id: AWKWARD.to_owned(),
        payment_method: AWKWARD.to_owned(),
        currency: Currency::parse("KWD").unwrap(),
        lines: (0..99).map(|n| line(&format!("{AWKWARD}{n}"))).collect(),
        total_minor: 99 * AMOUNT_MAX_MINOR,
        contact: Contact { email: text("email"), phone: text("phone") },
        address: Some(Address {
            name: text("name"),
            street: text("street"),
            city: text("city"),
            postal_code: text("postal code"),
            country: text("country"),
        }),
        priority: Priority::Express,
    };
    let origin = Origin {
        request_id: Some(AWKWARD.into()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        ..Origin::new(OrderId(world().new_id()), Flow::Choreographed, Plan::PaymentFirst)
    };
    Saga::placed(origin, Arc::new(details), at(0))
}

pub async fn anything_that_can_be_ordered_is_read_back(backend: &dyn Backend) {
    let opened = backend.order().await.unwrap();
    let mut saga = anything();
    let placed = learn(&mut saga, vec![Fact::Placed], at(1));
    let stuck = Fact::Stuck { reason: AWKWARD.to_owned() };
    let stuck = learn(&mut saga, vec![stuck], at(2));
    commit(&opened, vec![placed, stuck]).await;
    backend.close().await;
    let reads = backend.order().await.unwrap().reads;
    assert_eq!(reads.order(saga.order_id()).await.unwrap(), Some(saga.clone()));
    let filter = OrderFilter { customer_id: Some(AWKWARD.to_owned()), ..OrderFilter::default() };
    assert_eq!(reads.orders(&filter, 10).await.unwrap(), [Ok(saga)]);
}
