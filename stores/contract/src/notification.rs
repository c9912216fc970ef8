//! The notification service: one entry for each order and topic, read or unread.

use crate::backend::Backend;
use crate::batches::{batch, make, on_both};
use crate::records;
use crate::values::{AWKWARD, at, finer, order, origin};
use ordermill_actors::notification::{NotificationFilter, NotificationMemory, NotificationReads};
use ordermill_actors::testing::MemoryStore;
use ordermill_domain::expected::Expected;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{Contact, Failure, Message, OrderMessage, OrderNotice, Payload};
use ordermill_domain::money::{AMOUNT_MAX_MINOR, Currency, Money};
use ordermill_domain::notification::{
    Change, NotificationAnswer, NotificationId, NotificationPolicy, NotificationService, Scope,
    Topic, UNREAD_PAGE, UnreadPage,
};
use ordermill_domain::service::Outcome;
use std::sync::Arc;

type Model = MemoryStore<NotificationMemory>;

const ADA: &str = "ada \"\u{1F600}\"";

fn event(n: u128, customer: &str, message: fn(OrderNotice) -> OrderMessage) -> Arc<Message> {
    let notice = OrderNotice {
        customer_id: customer.to_owned(),
        contact: Contact { email: Some("ada@example.org".to_owned()), phone: None },
        total: Money { minor: 4_990, currency: Currency::USD },
        priority: Default::default(),
        tracking_code: None,
        failure: None,
        payment: None,
    };
    Message::new(&origin(n), Payload::Order(message(notice)), 0, at(0))
}

fn confirmed(n: u128, customer: &str) -> Arc<Message> {
    event(n, customer, OrderMessage::Confirmed)
}

fn shipped(n: u128, customer: &str) -> Arc<Message> {
    event(n, customer, OrderMessage::Shipped)
}

fn id(n: u128, topic: Topic) -> NotificationId {
    NotificationId { order_id: order(n), topic }
}

fn all(customer: Option<&str>, order_id: Option<OrderId>) -> Change {
    let scope = Scope { customer_id: customer.map(str::to_owned), order_id };
    Change::MarkAllRead(UnreadPage { scope, after: None })
}

fn scenario() -> Vec<Vec<Change>> {
    let mark = |n, topic, is_read| Change::MarkRead {
        id: id(n, topic),
        is_read,
        expected: Expected::default(),
    };
    vec![
        vec![Change::Notify(vec![confirmed(1, ADA), confirmed(2, "bob"), shipped(1, ADA)])],
        vec![
            Change::Notify(vec![confirmed(1, ADA), confirmed(3, ADA)]),
            mark(1, Topic::Confirmed, true),
            mark(3, Topic::Confirmed, true),
            mark(9, Topic::Confirmed, true),
        ],
        vec![
            mark(1, Topic::Confirmed, false),
            all(Some(ADA), Some(order(1))),
            all(Some("bob"), Some(order(1))),
            mark(1, Topic::Shipped, false),
            Change::Notify(vec![confirmed(4, "bob"), confirmed(5, ADA), shipped(5, ADA)]),
        ],
        vec![all(Some("bob"), None), all(None, Some(order(5))), mark(5, Topic::Shipped, false)],
        vec![all(None, None), all(None, None), Change::Notify(vec![shipped(4, "bob")])],
    ]
}

fn filters() -> Vec<NotificationFilter> {
    let mut filters = vec![NotificationFilter::default()];
    let mut each = |put: &dyn Fn(&mut NotificationFilter)| {
        let mut more = filters.clone();
        more.iter_mut().for_each(put);
        filters.extend(more);
    };
    each(&|filter| filter.order_id = Some(order(1)));
    each(&|filter| filter.order_id = Some(order(9)));
    each(&|filter| filter.customer_id = Some(ADA.to_owned()));
    each(&|filter| filter.customer_id = Some("nobody".to_owned()));
    each(&|filter| filter.topic = Some(Topic::Confirmed));
    each(&|filter| filter.topic = Some(Topic::Cancelled));
    each(&|filter| filter.is_read = Some(true));
    each(&|filter| filter.is_read = Some(false));
    each(&|filter| filter.after = Some(id(3, Topic::Confirmed)));
    each(&|filter| filter.after = Some(id(1, Topic::Shipped)));
    filters.sort_by_key(|filter| format!("{filter:?}"));
    filters.dedup();
    filters
}

async fn compare(model: &Model, store: &dyn NotificationReads, filters: &[NotificationFilter]) {
    for filter in filters {
        for limit in [1, 100] {
            let listed = store.notifications(filter, limit).await.unwrap();
            let expected = model.notifications(filter, limit).await.unwrap();
            assert_eq!(listed, expected, "{filter:?}");
        }
    }
    for id in [id(1, Topic::Confirmed), id(1, Topic::Created)] {
        let read = store.notification(id).await.unwrap();
        assert_eq!(read, model.notification(id).await.unwrap());
    }
}

pub async fn entries_are_the_same_as_in_memory_and_after_a_restart(backend: &dyn Backend) {
    let service = NotificationService { policy: NotificationPolicy { email: true, sms: true } };
    let model = Model::default();
    for (number, changes) in (0..).zip(scenario()) {
        // Each batch is a life of its own.
        let opened = backend.notification().await.unwrap();
        on_both(&service, &model, &*opened.store, &changes, finer(number)).await;
        // In the middle of the scenario some entries are read and some are not.
        let (every, none) = (filters(), [NotificationFilter::default()]);
        let asked = if number == 2 { &every[..] } else { &none };
        compare(&model, &*opened.reads, asked).await;
        backend.close().await;
    }
    let reads = backend.notification().await.unwrap().reads;
    compare(&model, &*reads, &filters()).await;
    let last = reads.notification(id(4, Topic::Shipped)).await.unwrap().unwrap();
    assert_eq!((last.is_read, last.created_at), (false, at(4)), "whole microseconds");
    let unread = NotificationFilter { is_read: Some(false), ..NotificationFilter::default() };
    assert_eq!(reads.notifications(&unread, 10).await.unwrap(), [last]);
    records::same(&model, backend.sources().await.notifications).await;
}

pub async fn thousands_are_notified_in_one_batch_and_marked_in_pages(backend: &dyn Backend) {
    let opened = backend.notification().await.unwrap();
    let service = NotificationService::default();
    let model = Model::default();
    let tell = (0..100)
        .map(|feed| Change::Notify((0..64).map(|n| confirmed(feed * 64 + n, ADA)).collect()))
        .collect::<Vec<_>>();
    on_both(&service, &model, &*opened.store, &tell, at(0)).await;
    let mut page = UnreadPage {
        scope: Scope { customer_id: Some(ADA.to_owned()), order_id: None },
        after: None,
    };
    let mut marked = Vec::new();
    loop {
        let changes = [Change::MarkAllRead(page.clone())];
        let (outcomes, _) = on_both(&service, &model, &*opened.store, &changes, at(1)).await;
        let [Outcome::Done(NotificationAnswer::MarkedAll { count, next })] = outcomes[..] else {
            panic!("{outcomes:?}")
        };
        marked.push(count);
        match next {
            Some(after) => page.after = Some(after),
            None => break,
        }
    }
    assert_eq!(marked, [UNREAD_PAGE as u64, 6_400 - UNREAD_PAGE as u64]);
    let unread = NotificationFilter { is_read: Some(false), ..NotificationFilter::default() };
    assert!(opened.reads.notifications(&unread, 1).await.unwrap().is_empty());
}

pub async fn lists_are_read_page_by_page(backend: &dyn Backend) {
    let opened = backend.notification().await.unwrap();
    let events =
        (1..=12).flat_map(|n| [confirmed(n, ADA), shipped(n, ["bob", ADA][n as usize % 2])]);
    let tell = vec![Change::Notify(events.collect())];
    make(&*opened.store, batch(NotificationService::default(), tell, at(0))).await;
    let filters = [
        NotificationFilter::default(),
        NotificationFilter { customer_id: Some(ADA.to_owned()), ..Default::default() },
        NotificationFilter { topic: Some(Topic::Shipped), ..Default::default() },
    ];
    for (filter, expected) in filters.into_iter().zip([24, 18, 12]) {
        let (mut paged, mut page) = (Vec::new(), filter.clone());
        loop {
            let read = opened.reads.notifications(&page, 5).await.unwrap();
            let Some(last) = read.last() else { break };
            page.after = Some(last.id);
            paged.extend(read);
        }
        assert_eq!(paged.len(), expected, "{filter:?}");
        assert!(paged.windows(2).all(|pair| pair[0].id > pair[1].id), "newest first, each once");
    }
}

pub async fn any_customer_and_any_text_are_read_back(backend: &dyn Backend) {
    let opened = backend.notification().await.unwrap();
    let (service, model) = (NotificationService::default(), Model::default());
    let failed = |mut notice: OrderNotice| {
        let (step, reason) = (AWKWARD.to_owned(), AWKWARD.to_owned());
        notice.failure = Some(Failure { step, reason, shortages: Vec::new() });
        notice.total.minor = AMOUNT_MAX_MINOR;
        OrderMessage::Cancelled(notice)
    };
    let tell = [Change::Notify(vec![event(1, AWKWARD, failed)])];
    on_both(&service, &model, &*opened.store, &tell, at(0)).await;
    backend.close().await;
    let opened = backend.notification().await.unwrap();
    let filter = NotificationFilter {
        customer_id: Some(AWKWARD.to_owned()),
        ..NotificationFilter::default()
    };
    let read = opened.reads.notifications(&filter, 10).await.unwrap();
    assert_eq!(read, model.notifications(&filter, 10).await.unwrap());
    assert_eq!(read.len(), 1);
    let changes = [all(Some(AWKWARD), None)];
    let (outcomes, _) = on_both(&service, &model, &*opened.store, &changes, at(1)).await;
    assert_eq!(outcomes, [Outcome::Done(NotificationAnswer::MarkedAll { count: 1, next: None })]);
}
