//! The outbox, which is the same in every service: seen through the one that answers every change.

use crate::backend::Backend;
use crate::batches::{batch, maintenance, said};
use crate::values::{at, order, origin};
use ordermill_actors::ports::{Database, Outbox};
use ordermill_actors::testing::stores::CheckStore;
use ordermill_domain::messages::{Priority, ShippingSchedule};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::outbox::{Content, OutboxRow};
use ordermill_domain::service::{Batch, OutboxMaintenance, Parking, Service};
use ordermill_domain::shipping::{Change, Command, Shipping};
use std::ops::Range;
use std::time::Duration;
use uuid::Uuid;

/// More rows than any test writes.
const ALL: u32 = 10_000;

/// A batch that says one message for each of these orders.
pub fn saying(orders: Range<u128>) -> Batch<Shipping> {
    let schedule = |n| {
        let total = Money { minor: 1_000, currency: Currency::USD };
        let wanted =
            ShippingSchedule { units: 1, address: None, priority: Priority::Express, total };
        Change { origin: origin(n), command: Command::Schedule(wanted) }
    };
    batch(Shipping::default(), orders.map(schedule).collect(), at(0))
}

async fn say(store: &dyn Database<Shipping>, orders: Range<u128>) -> Vec<OutboxRow> {
    store.commit(&saying(orders)).await.unwrap().outbox
}

async fn tend(store: &dyn Database<Shipping>, work: OutboxMaintenance) {
    store.commit(&maintenance(Shipping::default(), work)).await.unwrap();
}

fn park(row: OutboxRow, seconds: u64) -> OutboxMaintenance {
    OutboxMaintenance {
        park: vec![Parking { row, until: at(seconds) }],
        ..OutboxMaintenance::default()
    }
}

fn forget(rows: impl IntoIterator<Item = Uuid>) -> OutboxMaintenance {
    OutboxMaintenance { forget: rows.into_iter().collect(), ..OutboxMaintenance::default() }
}

fn ids(rows: &[OutboxRow]) -> Vec<Uuid> {
    rows.iter().map(|row| row.id).collect()
}

/// Rows of dead processes change hands in pieces, until there are none.
pub async fn adopt_all(outbox: &(impl Outbox + ?Sized)) {
    while outbox.adopt(3).await.unwrap() > 0 {}
}

pub async fn rows_wait_in_the_order_in_which_they_were_written(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    assert!(store.waiting(None, ALL).await.unwrap().is_empty());
    let mut written = Vec::new();
    for n in 0..5 {
        written.extend(ids(&say(&*store, n..n + 1).await));
    }
    assert_eq!(ids(&store.waiting(None, ALL).await.unwrap()), written);
    assert_eq!(ids(&store.waiting(None, 2).await.unwrap()), written[..2]);
    assert_eq!(ids(&store.waiting(Some(written[1]), 2).await.unwrap()), written[2..4]);
    assert!(store.waiting(Some(written[4]), ALL).await.unwrap().is_empty());

    tend(&*store, forget([written[0], written[2]])).await;
    let left = [written[1], written[3], written[4]];
    assert_eq!(ids(&store.waiting(None, ALL).await.unwrap()), left);
    // A row that is gone is a place in the list all the same.
    assert_eq!(ids(&store.waiting(Some(written[2]), ALL).await.unwrap()), left[1..]);
}

pub async fn a_batch_of_many_messages_is_rows_of_64(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let written = say(&*store, 0..130).await;
    let sizes = |rows: &[OutboxRow]| rows.iter().map(|row| said(row).len()).collect::<Vec<_>>();
    assert_eq!(sizes(&written), [64, 64, 2]);
    let waiting = store.waiting(None, ALL).await.unwrap();
    assert_eq!((ids(&waiting), sizes(&waiting)), (ids(&written), sizes(&written)));
    assert_eq!(waiting.iter().map(|row| row.tries).max(), Some(0));
}

pub async fn waiting_rows_are_read_back_unchanged(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let text = |rows: &[OutboxRow]| rows.iter().map(OutboxRow::to_json).collect::<Vec<_>>();
    let written = text(&say(&*store, 0..70).await);
    assert_eq!(text(&store.waiting(None, ALL).await.unwrap()), written);

    drop(store);
    backend.close().await;
    let store = backend.shipping().await.unwrap().store;
    adopt_all(&*store).await;
    assert_eq!(text(&store.waiting(None, ALL).await.unwrap()), written);
}

pub async fn parked_rows_leave_the_window_until_they_are_due(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let row = say(&*store, 0..2).await.remove(0);
    let stays = say(&*store, 2..3).await;
    let left = row.messages().into_iter().take(1).collect();
    let left = OutboxRow { id: row.id, content: Content::Parked(left), tries: 3 };
    tend(&*store, park(left.clone(), 1_000)).await;

    assert_eq!(ids(&store.waiting(None, ALL).await.unwrap()), ids(&stays));
    assert_eq!(store.parked().await.unwrap(), 1);
    let early = at(1_000) - Duration::from_micros(1);
    assert!(store.due(early, ALL).await.unwrap().is_empty());
    let due = store.due(at(1_000), ALL).await.unwrap();
    assert_eq!((due.len(), due[0].id, due[0].tries), (1, row.id, 3));
    assert_eq!(due[0].to_json(), left.to_json());
    // Reading it changes nothing: it is parked until somebody says otherwise.
    assert_eq!(store.due(at(1_000), ALL).await.unwrap().len(), 1);
    assert!(store.due(at(1_000), 0).await.unwrap().is_empty());

    // Still nobody takes it: it is parked again, for longer.
    tend(&*store, park(OutboxRow { tries: 4, ..left }, 2_000)).await;
    assert!(store.due(at(1_999), ALL).await.unwrap().is_empty());
    assert_eq!(store.due(at(2_000), ALL).await.unwrap()[0].tries, 4);
    tend(&*store, forget([row.id])).await;
    assert_eq!(store.parked().await.unwrap(), 0);
    assert!(store.due(at(2_000), ALL).await.unwrap().is_empty());
}

pub async fn rows_that_nobody_has_are_forgotten_and_parked_without_complaint(
    backend: &dyn Backend,
) {
    let store = backend.shipping().await.unwrap().store;
    let gone = say(&*store, 0..1).await.remove(0);
    let stays = say(&*store, 1..2).await;
    let unheard_of = Uuid::from_u128(u128::MAX - 5);
    // The answer to the first commit was lost: it comes again.
    for _ in 0..2 {
        tend(&*store, forget([gone.id, unheard_of])).await;
    }
    // Somebody else has brought it to its end meanwhile: it does not come back.
    let messages = gone.messages();
    tend(&*store, park(OutboxRow { content: Content::Parked(messages), ..gone }, 10)).await;
    assert_eq!(store.parked().await.unwrap(), 0);
    assert!(store.due(at(1_000), ALL).await.unwrap().is_empty());
    assert_eq!(ids(&store.waiting(None, ALL).await.unwrap()), ids(&stays));
}

pub async fn changes_and_outbox_maintenance_are_one_batch(backend: &dyn Backend) {
    let opened = backend.shipping().await.unwrap();
    let store = opened.store;
    let rows = [say(&*store, 0..1).await.remove(0), say(&*store, 1..2).await.remove(0)];
    let messages = rows[1].messages();
    let parked = OutboxRow { content: Content::Parked(messages), tries: 1, ..rows[1].clone() };
    let mut both = saying(2..3);
    both.maintenance = OutboxMaintenance { forget: vec![rows[0].id], ..park(parked, 10) };
    let written = store.commit(&both).await.unwrap().outbox;
    assert_eq!(ids(&store.waiting(None, ALL).await.unwrap()), ids(&written));
    assert_eq!(ids(&store.due(at(10), ALL).await.unwrap()), [rows[1].id]);
    assert!(opened.reads.shipment(order(2)).await.unwrap().is_some());
}

pub async fn a_row_keeps_its_owner_while_that_one_lives(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let rows = say(&*store, 0..1).await;
    let other = backend.shipping().await.unwrap().store;
    for adopter in [&store, &other] {
        assert_eq!(adopter.adopt(ALL).await.unwrap(), 0);
    }
    assert_eq!(ids(&store.waiting(None, ALL).await.unwrap()), ids(&rows));
}

pub async fn outbox_rows_of_a_dead_process_are_adopted(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let mut rows = Vec::new();
    for n in 0..8 {
        rows.extend(say(&*store, n..n + 1).await);
    }
    let messages = rows[7].messages();
    let parked = OutboxRow { content: Content::Parked(messages), ..rows[7].clone() };
    tend(&*store, park(parked, 10)).await;
    drop(store);
    backend.close().await;

    let store = backend.shipping().await.unwrap().store;
    let earlier = store.waiting(None, ALL).await.unwrap().len() as u64;
    let adopted = store.adopt(3).await.unwrap();
    assert!(adopted <= 3, "more than was asked for: {adopted}");
    // Where a process is alone everything is its own already; elsewhere what it has adopted is.
    assert!(earlier == 7 || adopted == 3, "{earlier} waited, {adopted} were adopted");
    adopt_all(&*store).await;
    assert_eq!(store.adopt(ALL).await.unwrap(), 0);
    assert_eq!(ids(&store.waiting(None, ALL).await.unwrap()), ids(&rows[..7]));
    assert_eq!(ids(&store.due(at(10), ALL).await.unwrap()), [rows[7].id]);

    tend(&*store, forget(ids(&rows))).await;
    assert!(store.waiting(None, ALL).await.unwrap().is_empty());
    assert_eq!(store.parked().await.unwrap(), 0);
}

struct TendsAnOutbox;

impl CheckStore for TendsAnOutbox {
    async fn check<S: Service>(&self, service: S, store: &dyn Database<S>) {
        store.commit(&maintenance(service, forget([Uuid::from_u128(1)]))).await.unwrap();
        assert_eq!(store.parked().await.unwrap(), 0);
        assert_eq!(store.adopt(ALL).await.unwrap(), 0);
        assert!(store.waiting(None, ALL).await.unwrap().is_empty());
        assert!(store.due(at(1), ALL).await.unwrap().is_empty());
    }
}

pub async fn every_service_has_an_outbox(backend: &dyn Backend) {
    backend.databases().await.check_each(&TendsAnOutbox).await;
}
