//! The notification service's table on SQLite, held against the one in memory.

use crate::contract::on_both;
use crate::scratch::Scratch;
use ordermill_actors::clock::Timestamp;
use ordermill_actors::ids::OrderId;
use ordermill_actors::messages::{Contact, Flow, Message, OrderNotice, Origin, Payload, Plan};
use ordermill_actors::money::{Currency, Money};
use ordermill_actors::notification::{
    Change, NotificationFilter, NotificationId, NotificationMemory, NotificationPolicy,
    NotificationReads, NotificationService, Scope, Topic, UnreadPage,
};
use ordermill_actors::testing::MemoryStore;
use ordermill_sqlite::notification::{MIGRATIONS, NotificationDatabase, NotificationTables};
use ordermill_sqlite::{Database, SqliteStore};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const ADA: &str = "ada \"\u{1F600}\"";

fn order(n: u128) -> OrderId {
    OrderId(Uuid::from_u128(n << 64 | 7))
}

fn at(seconds: usize) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::new(seconds as u64, 123_456_789)
}

fn event(n: u128, customer: &str, payload: fn(OrderNotice) -> Payload) -> Arc<Message> {
    let (flow, plan) = (Flow::Orchestrated, Plan::ReserveFirst);
    let origin = Origin { order_id: order(n), flow, plan, request_id: None };
    let notice = OrderNotice {
        customer_id: customer.to_owned(),
        contact: Contact { email: Some("ada@example.org".to_owned()), phone: None },
        total: Money { minor: 4_990, currency: Currency::USD },
        priority: Default::default(),
        tracking_code: None,
        failure: None,
    };
    Message::new(&origin, payload(notice), 0, at(0))
}

fn id(n: u128, topic: Topic) -> NotificationId {
    NotificationId { order_id: order(n), topic }
}

fn all(customer: Option<&str>, order_id: Option<OrderId>) -> Change {
    let scope = Scope { customer_id: customer.map(str::to_owned), order_id };
    Change::MarkAllRead(UnreadPage { scope, after: None })
}

fn story() -> Vec<Vec<Change>> {
    let confirmed = |n, customer| event(n, customer, Payload::OrderConfirmed);
    let shipped = |n, customer| event(n, customer, Payload::OrderShipped);
    let mark = |n, topic, is_read| Change::MarkRead { id: id(n, topic), is_read };
    vec![
        vec![Change::Tell(vec![confirmed(1, ADA), confirmed(2, "bob"), shipped(1, ADA)])],
        vec![
            Change::Tell(vec![confirmed(1, ADA), confirmed(3, ADA)]),
            mark(1, Topic::Confirmed, true),
            mark(3, Topic::Confirmed, true),
            mark(9, Topic::Confirmed, true),
        ],
        vec![
            mark(1, Topic::Confirmed, false),
            all(Some(ADA), Some(order(1))),
            all(Some("bob"), Some(order(1))),
            mark(1, Topic::Shipped, false),
            Change::Tell(vec![confirmed(4, "bob"), confirmed(5, ADA), shipped(5, ADA)]),
        ],
        vec![all(Some("bob"), None), all(None, Some(order(5))), mark(5, Topic::Shipped, false)],
        vec![all(None, None), all(None, None), Change::Tell(vec![shipped(4, "bob")])],
    ]
}

fn filters() -> Vec<NotificationFilter> {
    let mut filters = Vec::new();
    for order_id in [None, Some(order(1)), Some(order(9))] {
        for customer_id in [None, Some(ADA.to_owned()), Some("nobody".to_owned())] {
            for topic in [None, Some(Topic::Confirmed), Some(Topic::Cancelled)] {
                for is_read in [None, Some(true), Some(false)] {
                    for after in [None, Some(id(3, Topic::Confirmed)), Some(id(1, Topic::Shipped))]
                    {
                        let customer_id = customer_id.clone();
                        filters.push(NotificationFilter {
                            order_id,
                            customer_id,
                            topic,
                            is_read,
                            after,
                        });
                    }
                }
            }
        }
    }
    filters
}

#[tokio::test]
async fn entries_are_the_same_as_in_memory_and_after_a_restart() {
    let scratch = Scratch::new();
    let directory = scratch.open();
    let service = NotificationService { policy: NotificationPolicy { email: true } };
    let model = MemoryStore::<NotificationMemory>::default();
    for (number, changes) in story().into_iter().enumerate() {
        // The file is opened anew for every batch.
        let database = Database::open(&directory, "notification", &MIGRATIONS).await.unwrap();
        let store = SqliteStore::new(database.clone(), NotificationTables);
        on_both(&service, &model, &store, &changes, at(number)).await;
        let reads = NotificationDatabase(database.clone());
        for filter in filters() {
            for limit in [1, 100] {
                let listed = reads.notifications(&filter, limit).await.unwrap();
                let expected = model.notifications(&filter, limit).await.unwrap();
                assert_eq!(listed, expected, "{filter:?}");
            }
        }
        for id in [id(1, Topic::Confirmed), id(1, Topic::Created)] {
            let read = reads.notification(id).await.unwrap();
            assert_eq!(read, model.notification(id).await.unwrap());
        }
        database.close().await;
    }
}

#[tokio::test]
async fn thousands_are_told_in_one_batch_and_marked_in_pages() {
    let scratch = Scratch::new();
    let database = Database::open(&scratch.open(), "notification", &MIGRATIONS).await.unwrap();
    let store = SqliteStore::new(database.clone(), NotificationTables);
    let service = NotificationService::default();
    let model = MemoryStore::<NotificationMemory>::default();
    let tell = (0..100)
        .map(|feed| {
            let events = (0..64).map(|n| event(feed * 64 + n, ADA, Payload::OrderConfirmed));
            Change::Tell(events.collect())
        })
        .collect::<Vec<_>>();
    on_both(&service, &model, &store, &tell, at(0)).await;
    for scope in [Scope { customer_id: Some(ADA.to_owned()), order_id: None }, Scope::default()] {
        for n in [0, 5_000] {
            let after = (n > 0).then(|| id(n - 1, Topic::Confirmed));
            let page = UnreadPage { scope: scope.clone(), after };
            on_both(&service, &model, &store, &[Change::MarkAllRead(page)], at(1)).await;
        }
    }
    let unread = NotificationFilter { is_read: Some(false), ..NotificationFilter::default() };
    assert!(NotificationDatabase(database).notifications(&unread, 1).await.unwrap().is_empty());
}
