//! Notifications to customers, and their read status.

mod components;

use super::*;
use crate::testing::MemoryTables;
use chrono::DateTime;
use ordermill_domain::clock::Timestamp;
use ordermill_domain::expected::Expected;
use ordermill_domain::ids::{OrderId, ProductId};
use ordermill_domain::messages::{
    Body, Contact, Exchange, Failure, Flow, InventoryMessage, Line, Message, NotificationMessage,
    OrderDetails, OrderMessage, OrderNotice, Origin, Payload, PaymentMessage, PaymentStatusUpdated,
    Plan, Priority, Queue, Shortage, queues_for,
};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::notification::*;
use ordermill_domain::service::{Outcome, Service};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

const AT: Timestamp = DateTime::UNIX_EPOCH;

fn order(n: u128) -> OrderId {
    OrderId(Uuid::from_u128(n))
}

fn event(n: u128, payload: Payload) -> Arc<Message> {
    let (flow, plan) = (Flow::Orchestrated, Plan::ReserveFirst);
    Message::new(
        &Origin {
            order_id: order(n),
            flow,
            plan,
            request_id: None,
            traceparent: None,
            order: None,
        },
        payload,
        0,
        AT,
    )
}

fn contact() -> Contact {
    Contact { email: Some("ada@example.org".to_owned()), phone: None }
}

fn notice() -> OrderNotice {
    OrderNotice {
        customer_id: "ada".to_owned(),
        contact: contact(),
        total: Money { minor: 4_990, currency: Currency::USD },
        priority: Priority::Standard,
        tracking_code: Some("TRK-01234567".to_owned()),
        failure: None,
        payment: None,
    }
}

fn cancelled(step: &str, reason: &str, shortages: Vec<Shortage>) -> Payload {
    let failure = Some(Failure { step: step.to_owned(), reason: reason.to_owned(), shortages });
    Payload::Order(OrderMessage::Cancelled(OrderNotice {
        failure,
        tracking_code: None,
        ..notice()
    }))
}

fn created(quantity: u32) -> Payload {
    let product_id = ProductId::from("mug");
    Payload::Order(OrderMessage::Created(Arc::new(OrderDetails {
        customer_id: "ada".to_owned(),
        payment_method: "credit_card".to_owned(),
        currency: Currency::USD,
        lines: vec![Line { product_id, quantity, unit_price_minor: None, amount_minor: 4_990 }],
        total_minor: 4_990,
        contact: contact(),
        address: None,
        priority: Priority::Standard,
    })))
}

/// A service and its table, committed batch by batch.
#[derive(Default)]
struct TestService {
    service: NotificationService,
    table: NotificationMemory,
}

impl TestService {
    fn with_email() -> Self {
        Self::with(NotificationPolicy { email: true, sms: false })
    }

    fn with(policy: NotificationPolicy) -> Self {
        Self { service: NotificationService { policy }, ..Self::default() }
    }

    fn batch(&mut self, changes: Vec<Change>) -> (Vec<NotificationAnswer>, Vec<Arc<Message>>) {
        let rows = self.table.load(&NotificationService::keys(&changes));
        let decided = self.service.decide_batch(rows, &changes, AT);
        self.table.write(&decided.writes, AT);
        let answer = |outcome| match outcome {
            Outcome::Done(answer) => answer,
            Outcome::Refused => panic!("nothing is refused"),
        };
        (decided.outcomes.into_iter().map(answer).collect(), decided.messages)
    }

    fn one(&mut self, change: Change) -> NotificationAnswer {
        self.batch(vec![change]).0.remove(0)
    }

    fn body(&mut self, payload: Payload) -> String {
        *self = Self::default();
        self.one(Change::Notify(vec![event(1, payload)]));
        self.table.entries.pop_first().unwrap().1.body
    }
}

fn told(answer: &NotificationAnswer) -> usize {
    let NotificationAnswer::Notified(stored) = answer else { panic!("{answer:?}") };
    stored.len()
}

fn page(customer: Option<&str>, after: Option<NotificationId>) -> Change {
    let scope = Scope { customer_id: customer.map(str::to_owned), order_id: None };
    Change::MarkAllRead(UnreadPage { scope, after })
}

#[test]
fn a_repeated_event_notifies_once() {
    let mut service = TestService::with_email();
    let feed = || {
        let others = event(1, Payload::Inventory(InventoryMessage::Released));
        Change::Notify(vec![
            event(1, created(2)),
            others,
            event(1, Payload::Order(OrderMessage::Confirmed(notice()))),
        ])
    };
    let (answers, mails) = service.batch(vec![feed(), feed()]);
    assert_eq!(answers.iter().map(told).collect::<Vec<_>>(), [2, 0]);
    assert_eq!(mails.len(), 2);
    let (answers, mails) = service.batch(vec![feed()]);
    assert_eq!((told(&answers[0]), mails.len()), (0, 0));
    assert_eq!(service.table.entries.len(), 2);
}

#[test]
fn each_status_of_a_payment_is_told_once_in_the_shop_alone() {
    let mut service = TestService::with_email();
    let updated = |status: &str| {
        event(
            1,
            Payload::Payment(PaymentMessage::StatusUpdated(PaymentStatusUpdated {
                payment_status: status.to_owned(),
                payment_id: Uuid::nil(),
                order_id: order(1),
                payment_method: "qris".to_owned(),
                customer_id: "ada".to_owned(),
            })),
        )
    };
    let events = || Change::Notify(["PENDING", "SUCCESS", "FAILED"].map(updated).to_vec());
    let (answers, mails) = service.batch(vec![events(), events()]);
    assert_eq!(answers.iter().map(told).collect::<Vec<_>>(), [3, 0]);
    assert_eq!(mails, []);
    let entries: Vec<_> = service.table.entries.values().collect();
    assert!(entries.iter().all(|entry| entry.customer_id == "ada"));
    let id = |status| format!("{}.payment.status.updated.{status}", order(1));
    let ids: Vec<_> = entries.iter().map(|entry| entry.id.to_string()).collect();
    assert_eq!(ids, ["pending", "success", "failed"].map(id));
    let unknown = service.one(Change::Notify(vec![updated("UNHEARD_OF")]));
    assert_eq!(told(&unknown), 0);
}

#[test]
fn every_mail_of_an_order_has_an_id_of_its_own_and_goes_to_its_address() {
    let mut service = TestService::with_email();
    let payloads = [
        created(1),
        Payload::Order(OrderMessage::Confirmed(notice())),
        Payload::Order(OrderMessage::Shipped(notice())),
        Payload::Order(OrderMessage::Completed(notice())),
        cancelled("customer", "cancelled_by_customer", Vec::new()),
    ];
    let (_, mails) = service.batch(vec![Change::Notify(payloads.map(|p| event(1, p)).to_vec())]);
    let ids: BTreeSet<_> = mails.iter().map(|mail| mail.event_id).collect();
    assert_eq!(ids.len(), 5);
    for mail in mails {
        let Payload::Notification(NotificationMessage::Send(send)) = &mail.payload else {
            panic!("{mail:?}")
        };
        assert_eq!((send.channel.as_str(), send.to.as_str()), ("email", "ada@example.org"));
        assert!(send.body.contains(&order(1).to_string()), "{}", send.body);
    }
}

#[test]
fn without_a_mail_server_or_an_address_nothing_is_sent() {
    let tell = |contact| {
        let notice = OrderNotice { contact, ..notice() };
        vec![Change::Notify(vec![event(1, Payload::Order(OrderMessage::Confirmed(notice)))])]
    };
    assert!(TestService::default().batch(tell(contact())).1.is_empty());
    assert!(TestService::with_email().batch(tell(Contact::default())).1.is_empty());
}

#[test]
fn a_customer_is_notified_by_every_channel_they_have() {
    let [email, phone] = ["ada@example.org", "+49 30 1234"].map(|text| Some(text.to_owned()));
    let tell = |contact| {
        let notice = OrderNotice { contact, priority: Priority::Express, ..notice() };
        let shipped = Payload::Order(OrderMessage::Shipped(notice.clone()));
        [Payload::Order(OrderMessage::Confirmed(notice)), shipped]
            .map(|payload| event(1, payload))
            .to_vec()
    };
    let reached = |policy, contact| {
        let (_, sent) = TestService::with(policy).batch(vec![Change::Notify(tell(contact))]);
        let ids: BTreeSet<_> = sent.iter().map(|message| message.event_id).collect();
        assert_eq!(ids.len(), sent.len(), "each has an id of its own");
        let channel = |message: &Arc<Message>| {
            let Payload::Notification(NotificationMessage::Send(send)) = &message.payload else {
                panic!("{message:?}")
            };
            assert_eq!(send.priority, Priority::Express);
            let queues = queues_for(Exchange::NotificationChannels, &Body::One(message.clone()));
            (send.to.clone(), queues)
        };
        sent.iter().map(channel).collect::<Vec<_>>()
    };
    let both = NotificationPolicy { email: true, sms: true };
    let mail = ("ada@example.org".to_owned(), vec![Queue::NotificationEmail]);
    let text = ("+49 30 1234".to_owned(), vec![Queue::NotificationSms]);
    let all = Contact { email: email.clone(), phone: phone.clone() };
    let twice = |both: &[_]| [both, both].concat();
    assert_eq!(reached(both, all.clone()), twice(&[mail.clone(), text.clone()]));
    let by_mail = Contact { email, phone: None };
    assert_eq!(reached(both, by_mail), twice(std::slice::from_ref(&mail)));
    assert_eq!(reached(both, Contact { email: None, phone }), twice(std::slice::from_ref(&text)));
    let only_sms = NotificationPolicy { email: false, sms: true };
    assert_eq!(reached(only_sms, all), twice(std::slice::from_ref(&text)));
}

#[test]
fn the_words_say_what_happened() {
    let mut service = TestService::default();
    assert!(service.body(created(1)).contains(": 1 item, total 49.90 USD"));
    assert!(service.body(created(2)).contains("2 items"));
    assert!(
        service
            .body(Payload::Order(OrderMessage::Shipped(notice())))
            .ends_with("Track it with TRK-01234567.")
    );
    let short = vec![Shortage { product_id: "mug".into(), requested: 2, available: Some(1) }];
    let mut because = |step, reason, shortages| service.body(cancelled(step, reason, shortages));
    assert!(
        because("inventory", "insufficient_stock", short.clone()).contains("enough stock of mug.")
    );
    assert!(because("inventory", "unknown_product", short).contains("product mug is unknown."));
    assert!(because("payment", "declined", vec![]).contains("because the payment was declined"));
    assert!(because("shipping", "carrier_failed", vec![]).contains("because no carrier"));
    assert!(because("payment", "deadline_exceeded", vec![]).contains("in time"));
    assert!(because("customer", "cancelled_by_customer", vec![]).contains("as you requested"));
}

#[test]
fn an_entry_is_marked_and_marked_again() {
    let mut service = TestService::default();
    let id = NotificationId { order_id: order(1), topic: Topic::Created };
    let mark = |is_read| Change::MarkRead { id, is_read, expected: Expected::default() };
    assert_eq!(service.one(mark(true)), NotificationAnswer::NotFound);
    // Told and marked in one batch: one row, written once.
    let (answers, _) = service.batch(vec![Change::Notify(vec![event(1, created(1))]), mark(true)]);
    assert_eq!(answers[1], NotificationAnswer::Marked);
    assert!(service.table.entries[&id].is_read);
    assert_eq!(service.one(mark(false)), NotificationAnswer::Marked);
    assert!(!service.table.entries[&id].is_read);
    // Whoever takes it for read is told that it is not.
    let expected = Expected::OneOf(vec![true]);
    let stale = service.one(Change::MarkRead { id, is_read: true, expected });
    assert_eq!(stale, NotificationAnswer::Stale { is_read: false });
    assert!(!service.table.entries[&id].is_read);
}

#[test]
fn mark_all_counts_what_was_unread_in_its_scope() {
    let mut service = TestService::default();
    let other = OrderNotice { customer_id: "bob".to_owned(), ..notice() };
    service.one(Change::Notify(vec![
        event(1, created(1)),
        event(1, Payload::Order(OrderMessage::Confirmed(notice()))),
        event(2, Payload::Order(OrderMessage::Confirmed(other))),
    ]));
    let id = NotificationId { order_id: order(1), topic: Topic::Created };
    let (answers, _) = service.batch(vec![
        Change::MarkRead { id, is_read: true, expected: Expected::default() },
        Change::Notify(vec![event(3, created(1))]),
        page(Some("ada"), None),
        page(None, None),
        page(None, None),
    ]);
    let marked = |count| NotificationAnswer::MarkedAll { count, next: None };
    assert_eq!(answers[2..], [marked(2), marked(1), marked(0)]);
    assert!(service.table.entries.values().all(|entry| entry.is_read));
}

#[test]
fn many_are_marked_page_by_page() {
    let mut service = TestService::default();
    let events = (0..UNREAD_PAGE as u128 + 1).map(|n| event(n, created(1))).collect();
    service.one(Change::Notify(events));
    let NotificationAnswer::MarkedAll { count, next } = service.one(page(None, None)) else {
        panic!()
    };
    assert_eq!(count, UNREAD_PAGE as u64);
    assert!(next.is_some());
    assert_eq!(
        service.one(page(None, next)),
        NotificationAnswer::MarkedAll { count: 1, next: None }
    );
}

#[test]
fn ids_are_read_back() {
    for topic in Topic::ALL {
        let id = NotificationId { order_id: order(7), topic };
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(Topic::numbered(i64::from(topic.number())), Some(topic));
    }
    for bad in ["", "x.order.created", "00000000-0000-0000-0000-000000000007.order.paid"] {
        assert_eq!(bad.parse::<NotificationId>(), Err(BadNotificationId), "{bad}");
    }
}
