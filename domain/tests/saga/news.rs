//! What the payment service tells beside the answers of its step: pages, summaries, refunds, lapses and alarms.

use crate::bench::{Bench, CHOREOGRAPHED, RESERVE_FIRST, WAYS, Way};
use ordermill_domain::audit::{AuditService, Change};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{
    Exchange, Kind, Message, Payload, PaymentActionRequired, PaymentAttention, PaymentMessage,
    PaymentRefunded, PaymentUpdated, Refusal,
};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::notification::{
    Change as Notify, NotificationPolicy, NotificationService, Rows, Topic,
};
use ordermill_domain::order::decide::DecideInput;
use ordermill_domain::order::{OrderStatus, SagaStatus, Step};
use ordermill_domain::outbox::OutboxRow;
use ordermill_domain::payment::{Attention, PaymentStatus, Provider};
use ordermill_domain::reconciliation::OrderRecord;
use ordermill_domain::service::Service;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const LINK: &str = "https://pay.example/page/";

const MINUTE: Duration = Duration::from_secs(60);

fn usd(minor: i64) -> Money {
    Money { minor, currency: Currency::USD }
}

/// A message of the payment service, by hand.
fn news(bench: &Bench, number: u32, message: PaymentMessage) -> Arc<Message> {
    Message::new(&bench.saga.origin, Payload::Payment(message), number, bench.now)
}

fn page(bench: &Bench, number: u32, expires_at: Timestamp) -> Arc<Message> {
    let (url, amount) = (format!("{LINK}{number}"), usd(9980));
    let page = PaymentActionRequired { url, expires_at, amount };
    news(bench, number, PaymentMessage::ActionRequired(page))
}

fn update(status: PaymentStatus, attention: Option<Attention>) -> PaymentUpdated {
    PaymentUpdated {
        status,
        previous: None,
        provider: Provider::Midtrans,
        method: "qris".to_owned(),
        captured_minor: 0,
        refunded_minor: 0,
        last_try: None,
        capture_before: None,
        attention,
    }
}

fn tell(bench: &mut Bench, message: Arc<Message>) {
    assert!(bench.tell(DecideInput::Message(message)), "news never conflicts");
}

/// An order whose payment is asked for and not answered.
fn asked(way: Way) -> Bench {
    let mut bench = Bench::new(way, None);
    let for_payment = |bench: &Bench| {
        bench.bag.iter().position(|(queue, _)| queue.service() == ServiceName::Payment)
    };
    while for_payment(&bench).is_none() {
        bench.deliver(0, false);
    }
    bench
}

/// The same, whose customer has a page for ten minutes.
fn with_page(way: Way) -> Bench {
    let mut bench = asked(way);
    let told = page(&bench, 0, bench.now + 10 * MINUTE);
    tell(&mut bench, told);
    bench
}

fn confirmed(way: Way) -> Bench {
    let mut bench = Bench::new(way, None);
    bench.run();
    assert_eq!(bench.saga.status(), OrderStatus::Confirmed);
    bench
}

fn url(bench: &Bench) -> Option<&str> {
    bench.saga.payment(bench.now).page.map(|page| page.url.as_str())
}

fn status(bench: &Bench) -> PaymentStatus {
    bench.saga.payment(bench.now).status
}

fn notices(bench: &Bench) -> Vec<u32> {
    let said = bench.said.iter().filter(|said| said.kind() == Kind::OrderPaymentRequired);
    said.map(|notice| notice.number).collect()
}

#[test]
fn an_order_without_news_stores_nothing_of_them() {
    for way in WAYS {
        let bench = confirmed(way);
        assert!(!serde_json::to_string(&bench.saga.facts).unwrap().contains("news"));
        let payment = bench.saga.payment(bench.now);
        assert_eq!((payment.status, payment.captured.minor), (PaymentStatus::Approved, 9980));
        assert_eq!(payment.provider, Some(Provider::Simulated), "of others there is news");
    }
}

#[test]
fn the_gateway_is_not_named_before_the_payment_service_is_heard() {
    for way in WAYS {
        let mut bench = asked(way);
        assert_eq!(bench.saga.payment(bench.now).provider, None);
        let told = PaymentMessage::Updated(update(PaymentStatus::Pending, None));
        let told = news(&bench, 0, told);
        tell(&mut bench, told);
        assert_eq!(bench.saga.payment(bench.now).provider, Some(Provider::Midtrans));
    }
}

#[test]
fn a_page_is_shown_and_told_once_until_a_later_one_replaces_it() {
    for way in WAYS {
        let mut bench = with_page(way);
        assert_eq!(url(&bench), Some("https://pay.example/page/0"));
        let expires_at = bench.now + 10 * MINUTE;
        for number in [0, 1, 1, 0] {
            let told = page(&bench, number, expires_at);
            tell(&mut bench, told);
        }
        assert_eq!(url(&bench), Some("https://pay.example/page/1"));
        assert_eq!(notices(&bench), [0, 1], "{way:?}");
        assert!(bench.saga.may_get_page());
        bench.run();
        bench.assert_sound();
        assert_eq!((url(&bench), status(&bench)), (None, PaymentStatus::Approved));
        assert!(!bench.saga.may_get_page());
    }
}

#[test]
fn a_page_is_not_shown_after_its_end() {
    let mut bench = with_page(RESERVE_FIRST);
    bench.now += 10 * MINUTE;
    assert_eq!(url(&bench), None);
}

#[test]
fn a_page_after_the_payment_or_the_order_is_ignored() {
    for way in WAYS {
        let mut paid = confirmed(way);
        let mut cancelled = with_page(way);
        assert!(cancelled.tell(DecideInput::Cancel));
        assert_eq!(url(&cancelled), None, "it is being undone");
        cancelled.run();
        for bench in [&mut paid, &mut cancelled] {
            let (rows, before) = (bench.history.len(), notices(bench));
            let told = page(bench, 7, bench.now + 10 * MINUTE);
            tell(bench, told);
            assert_eq!((url(bench), bench.history.len()), (None, rows), "{way:?}");
            assert_eq!(notices(bench), before);
            bench.assert_sound();
        }
    }
}

#[test]
fn while_the_customer_has_a_page_nothing_is_asked_again() {
    for way in WAYS {
        let mut bench = with_page(way);
        let (placed, said) = (bench.saga.created_at, bench.said.len());
        bench.bag.clear();
        bench.policy.order_timeout = 60 * MINUTE;
        bench.wait();
        if bench.said.len() == said {
            bench.wait(); // The time that was stored before the page was known was too early.
        }
        assert!(bench.said.len() > said, "{way:?}");
        assert_eq!((bench.now - placed).num_seconds(), 13 * 60, "{way:?}");
        let again = bench.said.len();
        bench.bag.clear();
        bench.wait();
        assert!(bench.said.len() > again, "then the usual pauses");
        assert!((bench.now - placed).num_seconds() < 20 * 60, "{way:?}");
    }
}

#[test]
fn the_deadline_of_the_order_holds_whatever_the_page_says() {
    for way in WAYS {
        let mut bench = asked(way);
        let told = page(&bench, 0, bench.now + 600 * MINUTE);
        tell(&mut bench, told);
        bench.bag.clear();
        while !bench.saga.facts.is_failing() {
            bench.wait();
        }
        assert_eq!((bench.now - bench.saga.created_at).num_minutes(), 15, "{way:?}");
        assert_eq!(url(&bench), None);
    }
}

#[test]
fn an_older_update_changes_nothing() {
    let mut bench = with_page(RESERVE_FIRST);
    for (number, told) in [
        (1, PaymentStatus::InReview),
        (0, PaymentStatus::AwaitingCustomer),
        (1, PaymentStatus::Expired),
    ] {
        let told = news(&bench, number, PaymentMessage::Updated(update(told, None)));
        tell(&mut bench, told);
        assert_eq!(status(&bench), PaymentStatus::InReview);
    }
    assert_eq!(url(&bench), None, "what is in review cannot be paid again");
    bench.assert_history();
}

#[test]
fn the_answer_of_the_step_is_newer_than_an_update_that_waits() {
    let mut bench = with_page(RESERVE_FIRST);
    let waits = update(PaymentStatus::AwaitingCustomer, None);
    let told = news(&bench, 0, PaymentMessage::Updated(waits));
    tell(&mut bench, told);
    assert_eq!(status(&bench), PaymentStatus::AwaitingCustomer);
    bench.run();
    assert_eq!(status(&bench), PaymentStatus::Approved);
    assert!(bench.tell(DecideInput::Cancel));
    bench.run();
    let payment = bench.saga.payment(bench.now);
    assert_eq!((payment.status, payment.refunded), (PaymentStatus::Reversed, usd(9980)));
}

#[test]
fn late_news_change_only_how_an_order_at_rest_shows_its_payment() {
    for way in WAYS {
        let mut bench = with_page(way);
        assert!(bench.tell(DecideInput::Cancel));
        bench.run();
        bench.assert_sound();
        let said = bench.said.len();
        let mut late = update(PaymentStatus::Reversing, Some(Attention::LateMoney));
        late.captured_minor = 9980;
        let told = news(&bench, 4, PaymentMessage::Updated(late));
        tell(&mut bench, told);
        bench.assert_sound();
        let payment = bench.saga.payment(bench.now);
        assert_eq!(payment.status, PaymentStatus::Reversing);
        assert_eq!(payment.attention, Some(Attention::LateMoney));
        assert_eq!((payment.captured, payment.refunded), (usd(9980), usd(0)));
        assert_eq!(bench.said.len(), said, "{way:?}");
        assert!(bench.rests());
    }
}

#[test]
fn a_lapsed_payment_cancels_an_order_whose_dispatch_is_not_requested() {
    for way in WAYS {
        for paid in [false, true] {
            let mut bench = if paid { confirmed(way) } else { with_page(way) };
            for _ in 0..2 {
                let lapsed = PaymentMessage::Lapsed(Refusal::because("reverted"));
                let told = news(&bench, 0, lapsed);
                tell(&mut bench, told);
            }
            bench.run();
            while !bench.rests() {
                bench.wait();
                bench.run();
            }
            bench.assert_sound();
            assert_eq!(bench.saga.status(), OrderStatus::Cancelled, "{way:?}");
            let failure = bench.saga.facts.failure().unwrap();
            assert_eq!((failure.step.as_str(), failure.reason.as_str()), ("payment", "reverted"));
        }
    }
}

#[test]
fn a_payment_that_lapses_after_the_dispatch_needs_a_person() {
    for way in WAYS {
        let mut bench = confirmed(way);
        assert!(bench.tell(DecideInput::Dispatch));
        bench.run();
        for _ in 0..2 {
            let told = news(&bench, 0, PaymentMessage::Lapsed(Refusal::because("reverted")));
            tell(&mut bench, told);
        }
        assert_eq!(bench.saga.status(), OrderStatus::Shipped);
        assert_eq!(bench.saga.saga_status(), SagaStatus::Failed);
        assert_eq!(bench.saga.facts.stuck.as_deref(), Some("reverted"));
        assert!(bench.tell(DecideInput::Retry), "the person has seen to it");
        assert_eq!(bench.saga.status(), OrderStatus::Shipped);
        assert_eq!((bench.saga.saga_status(), bench.rests()), (SagaStatus::Completed, true));
        assert!(!bench.tell(DecideInput::Retry), "nothing is left to be seen to");
        bench.assert_history();
    }
}

fn attention(bench: &Bench, attention: Attention) -> Arc<Message> {
    news(bench, 0, PaymentMessage::Attention(PaymentAttention { attention }))
}

#[test]
fn what_needs_a_person_fails_the_saga_at_once_until_the_matter_is_closed() {
    for way in WAYS {
        let mut bench = confirmed(way);
        assert!(bench.tell(DecideInput::Cancel));
        // The payment service cannot give the money back: `payment.reversed` is not said.
        let is_answer = |message: &Message| message.kind() == Kind::PaymentReversed;
        let mut kept = Vec::new();
        while !bench.bag.is_empty() {
            match is_answer(&bench.bag[0].1) {
                true => kept.push(bench.bag.remove(0)),
                false => bench.deliver(0, false),
            }
        }
        let told = attention(&bench, Attention::RefundByHand);
        tell(&mut bench, told.clone());
        assert_eq!(bench.saga.saga_status(), SagaStatus::Failed, "{way:?}");
        assert_eq!(bench.saga.facts.stuck.as_deref(), Some("refund_by_hand"));
        assert_eq!(bench.saga.payment(bench.now).attention, Some(Attention::RefundByHand));
        tell(&mut bench, told);
        bench.bag = kept;
        bench.run();
        assert_eq!(bench.saga.status(), OrderStatus::Cancelled, "{way:?}");
        assert_eq!(bench.saga.saga_status(), SagaStatus::Compensated);
        bench.assert_history();
    }
}

#[test]
fn an_alarm_of_an_order_that_goes_on_ends_with_the_update_that_closes_it() {
    let mut bench = confirmed(RESERVE_FIRST);
    let alarm = update(PaymentStatus::Approved, Some(Attention::RefundByHand));
    let told = news(&bench, 0, PaymentMessage::Updated(alarm));
    tell(&mut bench, told);
    assert_eq!(bench.saga.saga_status(), SagaStatus::Failed);
    let told = attention(&bench, Attention::RefundByHand);
    tell(&mut bench, told.clone());
    let closed = update(PaymentStatus::PartiallyRefunded, None);
    let update = news(&bench, 1, PaymentMessage::Updated(closed));
    tell(&mut bench, update);
    tell(&mut bench, told);
    assert_eq!(bench.saga.saga_status(), SagaStatus::Completed);
    assert_eq!(bench.saga.payment(bench.now).attention, None);
    bench.assert_history();
}

#[test]
fn other_alarms_are_only_shown() {
    let mut bench = confirmed(CHOREOGRAPHED);
    let told = attention(&bench, Attention::CapturedTwice);
    tell(&mut bench, told);
    assert_eq!(bench.saga.saga_status(), SagaStatus::Completed);
    assert_eq!(bench.saga.payment(bench.now).attention, Some(Attention::CapturedTwice));
}

#[test]
fn refunds_are_shown_once_each_in_their_order() {
    let mut bench = confirmed(RESERVE_FIRST);
    for (number, total) in [(1, 3000), (0, 1000), (1, 3000)] {
        let refund_id = Some(Uuid::from_u128(u128::from(number)));
        let amount = usd(if number == 0 { 1000 } else { 2000 });
        let refunded = PaymentRefunded { refund_id, amount, refunded_total: usd(total) };
        let told = news(&bench, number, PaymentMessage::Refunded(refunded));
        tell(&mut bench, told);
    }
    let payment = bench.saga.payment(bench.now);
    let amounts: Vec<_> = payment.refunds.iter().map(|known| known.refunded.amount.minor).collect();
    assert_eq!((amounts, payment.refunded), (vec![1000, 2000], usd(3000)));
    bench.assert_sound();
}

#[test]
fn the_link_is_in_no_debug_text_no_record_and_no_copy_for_audit() {
    let bench = with_page(RESERVE_FIRST);
    let facts = serde_json::to_string(&bench.saga.facts).unwrap();
    assert!(facts.contains(LINK), "the order keeps it: {facts}");
    let record = serde_json::to_string(&OrderRecord::from(&bench.saga)).unwrap();
    assert!(!format!("{:?} {:?} {record}", bench.saga, bench.said).contains(LINK));

    let action = page(&bench, 0, bench.now);
    let notice = bench.said.iter().find(|said| said.kind() == Kind::OrderPaymentRequired).unwrap();
    let messages = vec![action, notice.clone()];
    let row = OutboxRow::fresh(Uuid::nil(), messages.clone());
    let is_audit = |to: Exchange| to == Exchange::AuditFanout;
    for published in row.messages() {
        let json = published.body.to_json();
        assert_eq!(json.contains(LINK), !is_audit(published.exchange), "{json}");
        ordermill_domain::messages::Body::read(json.as_bytes()).unwrap();
    }
    let kept = AuditService.decide_batch((), &[Change(messages)], bench.now).writes;
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|event| !event.json().contains(LINK)));
    assert!(kept[0].json().contains("expires_at"), "all else is kept: {}", kept[0].json());
}

#[test]
fn a_customer_gets_the_link_by_mail_once_for_each_page_and_reads_an_entry_without_it() {
    let mut bench = with_page(RESERVE_FIRST);
    let told = page(&bench, 1, bench.now + 10 * MINUTE);
    tell(&mut bench, told);
    let events = bench.said.iter().filter(|said| said.kind() == Kind::OrderPaymentRequired);
    let events: Vec<_> = events.map(|event| reachable(event)).collect();
    let service = NotificationService { policy: NotificationPolicy { email: true, sms: true } };
    let told = |events: Vec<Arc<Message>>| Notify::Notify(events);
    let both = [told(events.clone()), told(vec![events[0].clone()])];
    let batch = service.decide_batch(Rows::default(), &both, bench.now);
    let entries = batch.writes.inserts;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].id.topic, Topic::PaymentRequired);
    assert!(!entries[0].body.contains("://"), "{}", entries[0].body);
    let sent: Vec<_> = batch.messages.iter().map(|message| mail(message)).collect();
    assert_eq!(sent.len(), 2, "one mail a page, and no text message: {sent:?}");
    for (number, text) in sent.iter().enumerate() {
        assert!(text.contains(&format!("{LINK}{number}")), "{text}");
    }
    assert_ne!(batch.messages[0].event_id, batch.messages[1].event_id);
}

/// The same event of a customer with an address and a number.
fn reachable(event: &Message) -> Arc<Message> {
    let mut json: serde_json::Value =
        serde_json::from_str(event.json()).expect("a message is JSON");
    json["data"]["contact"] = serde_json::json!({"email": "a@example.org", "phone": "123456"});
    Message::from_json(&json.to_string()).expect("it is a message still")
}

fn mail(message: &Message) -> String {
    let Payload::Notification(ordermill_domain::messages::NotificationMessage::Send(mail)) =
        &message.payload
    else {
        panic!("{message:?} is no message to a customer")
    };
    assert_eq!(mail.channel, "email");
    assert!(!format!("{mail:?}").contains(LINK) && !mail.body.contains(LINK));
    mail.text().into_owned()
}

/// News as they may come: pages, summaries and alarms, in any order, doubled, at any time.
fn any_news() -> impl Strategy<Value = Vec<(u8, u32)>> {
    prop::collection::vec((0..6_u8, 0..4_u32), 0..12)
}

fn any(bench: &Bench, (kind, number): (u8, u32)) -> Arc<Message> {
    let told = match kind {
        0 => return page(bench, number, bench.now + 10 * MINUTE),
        1 => update(PaymentStatus::AwaitingCustomer, None),
        2 => update(PaymentStatus::Reversed, Some(Attention::LateMoney)),
        3 => update(PaymentStatus::Approved, None),
        4 => return attention(bench, Attention::WrongAmount),
        _ => return news(bench, 0, PaymentMessage::Lapsed(Refusal::because("reverted"))),
    };
    news(bench, number, PaymentMessage::Updated(told))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_news_come_the_order_ends_at_rest_and_shows_no_link(
        way in prop::sample::select(WAYS.to_vec()),
        refuse in prop::sample::select(vec![None, Some(Step::Payment), Some(Step::Shipping)]),
        told in any_news(),
        gaps in prop::collection::vec(0..4_usize, 12),
    ) {
        let mut bench = Bench::new(way, refuse);
        for (one, gap) in told.into_iter().zip(gaps) {
            for _ in 0..gap {
                if !bench.bag.is_empty() {
                    bench.deliver(0, false);
                }
            }
            let message = any(&bench, one);
            tell(&mut bench, message);
            bench.assert_history();
        }
        bench.run();
        for _ in 0..40 {
            if bench.rests() { break; }
            bench.wait();
            bench.run();
        }
        bench.assert_sound();
        prop_assert_eq!(url(&bench), None);
    }
}
