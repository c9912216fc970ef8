//! The notifications of gateways: stored with the payment, each body once, and not without end.

use crate::backend::Backend;
use crate::batches::on_both;
use crate::payment::paying;
use crate::values::{AWKWARD, at, finer, order, world};
use NotificationOutcome::{OverLimit, Repeated, Stored};
use ordermill_actors::payment::NotificationLog;
use ordermill_actors::payment::memory::PaymentTables;
use ordermill_actors::registry::Opened;
use ordermill_actors::testing::MemoryStore;
use ordermill_domain::ids::OrderId;
use ordermill_domain::payment::{
    NOTIFICATION_BODY_MAX, NOTIFICATIONS_MAX, Notification, NotificationOutcome, NotificationRow,
    PaymentChange, PaymentService, Provider, ReceivedNotification,
};
use ordermill_domain::service::Outcome;
use std::sync::Arc;
use uuid::Uuid;

type Published = Outcome<Option<NotificationOutcome>>;

fn done(outcome: NotificationOutcome) -> Published {
    Outcome::Done(Some(outcome))
}

/// A notification of the nth order's payment that came in this second.
fn received(n: u128, body: &[u8], second: u64) -> Arc<ReceivedNotification> {
    let notification = Notification {
        provider: Provider::Midtrans,
        reference: format!("om-{n}"),
        order_id: Some(order(n)),
        is_test: false,
        claimed_minor: 4_990,
        text: AWKWARD.to_owned(),
    };
    Arc::new(ReceivedNotification::new(world().new_id(), notification, body, finer(second)))
}

/// The nth order's payment is told, and nothing else of it changes.
fn told(n: u128, expected: u64, notification: Arc<ReceivedNotification>) -> PaymentChange {
    PaymentChange { notification: Some(notification), ..PaymentChange::nothing(order(n), expected) }
}

struct Stores {
    model: MemoryStore<PaymentTables>,
    opened: Opened<PaymentService>,
}

impl Stores {
    async fn open(backend: &dyn Backend) -> Self {
        let model = MemoryStore::default();
        Self { model, opened: backend.payment().await.unwrap() }
    }

    /// Commits to both, and compares what both then read.
    async fn commit(&self, changes: &[PaymentChange]) -> Vec<Published> {
        let store = &*self.opened.store;
        let made = on_both(&PaymentService, &self.model, store, changes, at(100)).await;
        self.compare().await;
        made.0
    }

    async fn rows(&self, order_id: Option<OrderId>) -> Vec<NotificationRow> {
        self.opened.reads.notifications(order_id, None, 1_000).await.unwrap()
    }

    async fn compare(&self) {
        let orders = (0..4).map(order).map(Some).chain([None]);
        for order_id in orders {
            for (before, limit) in [(None, 1_000), (None, 2), (Some(Uuid::nil()), 2)] {
                let rows = self.opened.reads.notifications(order_id, before, limit).await.unwrap();
                let model = self.model.notifications(order_id, before, limit).await.unwrap();
                assert_eq!(rows, model);
            }
            for row in self.rows(order_id).await {
                let stored = self.opened.reads.notification(row.id).await.unwrap().unwrap();
                let model = self.model.notification(row.id).await.unwrap().unwrap();
                assert!(stored == model, "{stored:?} or its body is not {model:?}");
                assert_eq!(stored.row, row);
            }
        }
    }
}

pub async fn notifications_are_stored_with_their_payment_or_not_at_all(backend: &dyn Backend) {
    let mut stores = Stores::open(backend).await;
    let body = [AWKWARD.as_bytes(), &[0, 0xFF, b'\'']].concat();
    let largest = vec![b'7'; NOTIFICATION_BODY_MAX];
    let first = paying([1], 0).changes.remove(0);
    let with = PaymentChange { notification: Some(received(1, &body, 3)), ..first };
    assert_eq!(stores.commit(&[with]).await, [done(Stored)]);
    let stale = told(1, 7, received(1, b"stale", 4));
    let fresh = told(1, 1, received(1, &largest, 5));
    assert_eq!(stores.commit(&[fresh]).await, [done(Stored)]);
    assert_eq!(stores.commit(&[stale]).await, [Outcome::Refused]);

    let rows = stores.rows(Some(order(1))).await;
    assert_eq!(rows.len(), 2, "what is refused leaves nothing");
    assert_eq!([rows[0].received_at, rows[1].received_at], [at(5), at(3)], "the newest first");
    assert_eq!((rows[1].times, &*rows[1].text, &*rows[1].reference), (1, AWKWARD, "om-1"));
    let stored = stores.opened.reads.notification(rows[1].id).await.unwrap().unwrap();
    assert!(*stored.body == *body, "the body is what came");
    assert_eq!(stores.opened.reads.notification(Uuid::nil()).await.unwrap(), None);
    assert_eq!(stores.opened.reads.payment(order(1)).await.unwrap().unwrap().version, 1);

    backend.close().await;
    stores.opened = backend.payment().await.unwrap();
    stores.compare().await;
}

pub async fn the_same_notification_is_stored_once_and_counted(backend: &dyn Backend) {
    let stores = Stores::open(backend).await;
    stores.commit(&paying([1], 0).changes).await;
    let came = |second| told(1, 1, received(1, b"paid", second));
    assert_eq!(stores.commit(&[came(1), came(2)]).await, [done(Stored), done(Repeated)]);
    let again = stores.commit(&[came(3), came(4), told(1, 1, received(1, b"other", 5))]).await;
    assert_eq!(again, [done(Repeated), done(Repeated), done(Stored)]);
    let rows = stores.rows(Some(order(1))).await;
    assert_eq!(rows.iter().map(|row| row.times).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(rows[1].received_at, at(1), "the row stays the first's");
}

pub async fn a_payment_has_fifty_notifications_at_the_most(backend: &dyn Backend) {
    let stores = Stores::open(backend).await;
    stores.commit(&paying([1, 2], 0).changes).await;
    let varied = |from: usize, to: usize| {
        let bodies = (from..to).map(|n| n.to_string());
        bodies.map(|body| told(1, 1, received(1, body.as_bytes(), 1))).collect::<Vec<_>>()
    };
    let stored = |outcomes: Vec<Published>| outcomes.iter().filter(|o| **o == done(Stored)).count();
    assert_eq!(stored(stores.commit(&varied(0, 30)).await), 30);
    let rest = stores.commit(&varied(20, 80)).await;
    assert_eq!(rest[..10], [const { Outcome::Done(Some(Repeated)) }; 10]);
    assert_eq!(rest[30..], [const { Outcome::Done(Some(OverLimit)) }; 30]);
    assert_eq!(stored(stores.commit(&varied(80, 90)).await), 0);
    assert_eq!(stores.rows(Some(order(1))).await.len(), NOTIFICATIONS_MAX);
    let known_and_other = [varied(0, 1).remove(0), told(2, 1, received(2, b"0", 1))];
    assert_eq!(stores.commit(&known_and_other).await, [done(Repeated), done(Stored)]);
}

pub async fn notifications_of_no_payment_are_stored_by_themselves(backend: &dyn Backend) {
    let stores = Stores::open(backend).await;
    stores.commit(&paying([1], 0).changes).await;
    let unmatched = |n, second| PaymentChange::unmatched(received(n, b"lost", second));
    // The second is of an order that has no payment yet.
    let changes = [unmatched(9, 1), told(2, 0, received(2, b"early", 2)), unmatched(9, 3)];
    assert_eq!(stores.commit(&changes).await, [done(Stored), done(Stored), done(Repeated)]);
    let rows = stores.rows(None).await;
    let named: Vec<_> = rows.iter().map(|row| (&*row.reference, row.times)).collect();
    assert_eq!(named, [("om-2", 1), ("om-9", 2)]);
    assert!(stores.rows(Some(order(2))).await.is_empty());
    assert_eq!(stores.opened.reads.payment(order(2)).await.unwrap(), None);

    let page = stores.opened.reads.notifications(None, Some(rows[0].id), 1).await.unwrap();
    assert_eq!(page, rows[1..]);
}

pub async fn old_notifications_are_forgotten(backend: &dyn Backend) {
    let stores = Stores::open(backend).await;
    stores.commit(&paying([1], 0).changes).await;
    for second in 0..6 {
        let body = second.to_string();
        stores.commit(&[told(1, 1, received(1, body.as_bytes(), second))]).await;
    }
    for (before, limit, forgotten) in [(0, 9, 0), (4, 1, 1), (4, 9, 3), (4, 9, 0)] {
        let reads = &stores.opened.reads;
        assert_eq!(reads.forget_notifications(at(before), limit).await.unwrap(), forgotten);
        let model = stores.model.forget_notifications(at(before), limit).await.unwrap();
        assert_eq!(model, forgotten);
        stores.compare().await;
    }
    let left = stores.rows(Some(order(1))).await;
    let times: Vec<_> = left.iter().map(|row| row.received_at).collect();
    assert_eq!(times, [at(5), at(4)]);
    assert_eq!(stores.opened.reads.payment(order(1)).await.unwrap().unwrap().version, 1);
}
