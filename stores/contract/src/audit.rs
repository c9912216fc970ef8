//! The audit service: every event once, in the order in which it happened.

use crate::backend::Backend;
use crate::batches::{batch, make, on_both};
use crate::records;
use crate::values::{AWKWARD, at, finer, order, origin};
use ordermill_actors::audit::{AuditMemory, AuditReads};
use ordermill_actors::testing::MemoryStore;
use ordermill_domain::audit::{AuditEntry, AuditService, Change};
use ordermill_domain::messages::{
    Failure, InventoryMessage, Message, OrderMessage, Origin, Payload, PaymentMessage,
    ShippingMessage,
};
use std::sync::Arc;

/// What JSON escapes, and what it does not: an escaped NUL among it, which is text like any other.
const ESCAPED: &str = "\u{0} a\tb é 1e400 </x>";

fn event(n: u128, payload: Payload, number: u32, seconds: u64) -> Arc<Message> {
    let origin = Origin { request_id: Some(AWKWARD.into()), ..origin(n) };
    Message::new(&origin, payload, number, finer(seconds))
}

fn asked(reason: &str) -> Payload {
    let (step, reason) = ("customer".to_owned(), reason.to_owned());
    Payload::Order(OrderMessage::CancelRequested(Failure { step, reason, shortages: Vec::new() }))
}

/// Feeds that come late, twice, and in pieces.
fn scenario() -> Vec<Vec<Change>> {
    let paid = || event(1, Payload::Payment(PaymentMessage::Reversed), 0, 5);
    vec![
        vec![Change(vec![event(1, Payload::Inventory(InventoryMessage::Released), 0, 3), paid()])],
        vec![
            Change(vec![paid(), event(1, asked(ESCAPED), 0, 1)]),
            Change(vec![event(1, Payload::Shipping(ShippingMessage::Dispatched), 0, 5)]),
        ],
        vec![
            Change(Vec::new()),
            Change(vec![paid(), event(2, Payload::Payment(PaymentMessage::Reversed), 0, 1)]),
        ],
        // The same name again, as another event.
        vec![Change(vec![event(1, Payload::Payment(PaymentMessage::Reversed), 1, 5)])],
    ]
}

/// What a position is differs from store to store; only its order matters.
fn without_positions(entries: Vec<AuditEntry>) -> Vec<AuditEntry> {
    entries.into_iter().map(|entry| AuditEntry { position: 0, ..entry }).collect()
}

pub async fn events_are_kept_once_and_listed_as_they_happened(backend: &dyn Backend) {
    let model = MemoryStore::<AuditMemory>::default();
    for (number, changes) in (0..).zip(scenario()) {
        // Each batch is a life of its own.
        let opened = backend.audit().await.unwrap();
        on_both(&AuditService, &model, &*opened.store, &changes, finer(100 + number)).await;
        for n in 1..=3 {
            let events = opened.reads.events(order(n), None, 100).await.unwrap();
            let expected = model.events(order(n), None, 100).await.unwrap();
            assert_eq!(without_positions(events), without_positions(expected));
        }
        backend.close().await;
    }
    let reads = backend.audit().await.unwrap().reads;
    let all = reads.events(order(1), None, 100).await.unwrap();
    let names: Vec<_> = all.iter().map(|entry| (entry.event_type.as_str(), entry.number)).collect();
    let expected = [
        ("order.cancel_requested", 0),
        ("inventory.released", 0),
        ("payment.reversed", 0),
        ("shipping.dispatched", 0),
        ("payment.reversed", 1),
    ];
    assert_eq!(names, expected);
    assert_eq!((all[2].occurred_at, all[2].recorded_at), (at(5), at(100)), "whole microseconds");
    assert!(reads.events(order(3), None, 100).await.unwrap().is_empty());
    records::same(&model, backend.sources().await.audit).await;
}

pub async fn an_events_text_is_kept_to_the_letter(backend: &dyn Backend) {
    let opened = backend.audit().await.unwrap();
    let long = "é".repeat(500_000);
    let events = [ESCAPED, AWKWARD, &long, ""];
    let events: Vec<_> = (0..).zip(events).map(|(n, text)| event(1, asked(text), n, 1)).collect();
    let changes = vec![Change(events.clone())];
    make(&*opened.store, batch(AuditService, changes, at(2))).await;
    let kept = opened.reads.events(order(1), None, 10).await.unwrap();
    assert_eq!(kept.len(), events.len());
    for (entry, event) in kept.iter().zip(&events) {
        assert!(entry.message == event.json(), "{}", entry.number);
        assert_eq!((entry.event_id, entry.order_id), (event.event_id, order(1)));
    }
}

pub async fn a_list_is_read_page_by_page(backend: &dyn Backend) {
    let opened = backend.audit().await.unwrap();
    // Several of the same time, kept at different ones, and not in their order.
    let feeds: Vec<_> = [3, 1, 2, 1, 3, 3, 2]
        .into_iter()
        .zip(0..)
        .map(|(second, number)| {
            vec![Change(vec![event(
                1,
                Payload::Shipping(ShippingMessage::Delivered),
                number,
                second,
            )])]
        })
        .collect();
    for feed in feeds {
        make(&*opened.store, batch(AuditService, feed, at(100))).await;
    }
    let mut paged: Vec<AuditEntry> = Vec::new();
    loop {
        let after = paged.last().map(AuditEntry::cursor);
        let page = opened.reads.events(order(1), after, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    let numbers: Vec<_> = paged.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [1, 3, 2, 6, 0, 4, 5]);
    assert_eq!(paged, opened.reads.events(order(1), None, 100).await.unwrap());
}

pub async fn a_thousand_events_are_one_batch(backend: &dyn Backend) {
    let opened = backend.audit().await.unwrap();
    let feeds = |orders: std::ops::Range<u128>| -> Vec<Change> {
        let event = |n, number: u32| event(n, asked("x"), number, u64::from(number));
        orders.map(|n| Change((0..16).map(|number| event(n, number)).collect())).collect()
    };
    // Half of the second batch is there already.
    for orders in [0..64, 32..96] {
        make(&*opened.store, batch(AuditService, feeds(orders), at(100))).await;
    }
    for n in 0..96 {
        let kept = opened.reads.events(order(n), None, 100).await.unwrap();
        let numbers: Vec<_> = kept.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, (0..16).collect::<Vec<_>>());
    }
}
