//! Dead letters, which are the same in every service.

use crate::backend::Backend;
use crate::batches::maintenance;
use crate::outbox::{adopt_all, saying};
use crate::values::{AWKWARD, at, finer, order, world};
use ordermill_actors::ports::{Database, DeadLetterFilter};
use ordermill_actors::testing::stores::CheckStore;
use ordermill_domain::clock::{Timestamp, storable};
use ordermill_domain::messages::{Body, Queue, ShippingMessage};
use ordermill_domain::outbox::{Content, OutboxRow};
use ordermill_domain::service::{
    Batch, DeadLetter, Discard, DiscardedLetter, OutboxMaintenance, Redrive, Service,
};
use ordermill_domain::shipping::Shipping;
use uuid::Uuid;

/// The largest message that the system has to bear, in bytes.
const MESSAGE_MAX: usize = 1 << 20;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n << 64 | 9)
}

fn letter(n: u128, queue: Queue) -> DeadLetter {
    DeadLetter {
        id: id(n),
        queue,
        order_id: Some(order(n).0),
        event_type: Some("shipping.schedule".to_owned()),
        cause: format!("the {n}th cause: {AWKWARD}"),
        attempts: 4,
        body: format!("{{\"no JSON: {AWKWARD}"),
        first_failed_at: at(10),
        died_at: at(46),
    }
}

fn store_dead_letter(letters: &[DeadLetter]) -> Batch<Shipping> {
    let work = OutboxMaintenance { dead_letters: letters.to_vec(), ..OutboxMaintenance::default() };
    maintenance(Shipping::default(), work)
}

async fn listed(store: &dyn Database<Shipping>, filter: DeadLetterFilter, limit: u32) -> Vec<Uuid> {
    let letters = store.dead_letters(&filter, limit).await.unwrap();
    letters.iter().map(|letter| letter.id).collect()
}

pub async fn they_are_kept_once_and_read_back(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let nameless = DeadLetter {
        order_id: None,
        event_type: None,
        cause: String::new(),
        body: String::new(),
        attempts: u32::MAX,
        first_failed_at: finer(3),
        died_at: finer(3),
        ..letter(2, Queue::ShippingCommands)
    };
    let letters = [letter(1, Queue::ShippingCommands), nameless];
    // The answer to the first commit was lost: it comes again, and is not taken for another.
    for _ in 0..2 {
        store.commit(&store_dead_letter(&letters)).await.unwrap();
    }
    let other = DeadLetter { cause: "another".to_owned(), ..letters[0].clone() };
    store.commit(&store_dead_letter(&[other])).await.unwrap();

    backend.close().await;
    let store = backend.shipping().await.unwrap().store;
    let cut = |time: Timestamp| storable(time);
    let expected = letters.map(|letter| DeadLetter {
        first_failed_at: cut(letter.first_failed_at),
        died_at: cut(letter.died_at),
        ..letter
    });
    for letter in &expected {
        let mut read = store.dead_letter(letter.id).await.unwrap().unwrap();
        // The model keeps whatever it is given; real stores keep microseconds.
        (read.first_failed_at, read.died_at) = (cut(read.first_failed_at), cut(read.died_at));
        assert_eq!(read, *letter);
    }
    let everything = DeadLetterFilter::default();
    assert_eq!(listed(&*store, everything, 10).await, [id(2), id(1)]);
    assert_eq!(store.dead_letter(id(3)).await.unwrap(), None);
}

pub async fn old_ones_are_forgotten(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let died = |n, second| DeadLetter { died_at: at(second), ..letter(n, Queue::ShippingCommands) };
    store.commit(&store_dead_letter(&[died(1, 100), died(2, 200), died(3, 300)])).await.unwrap();
    assert_eq!(store.forget_dead_letters(at(100), 10).await.unwrap(), 0);
    assert_eq!(store.forget_dead_letters(at(300), 1).await.unwrap(), 1, "no more than asked for");
    assert_eq!(store.forget_dead_letters(at(300), 10).await.unwrap(), 1);
    assert_eq!(listed(&*store, DeadLetterFilter::default(), 10).await, [id(3)]);
}

pub async fn they_are_listed_newest_first_by_queue_and_page(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let queue = |n| match n % 3 {
        0 => Queue::ShippingOrderCancelRequested,
        _ => Queue::ShippingCommands,
    };
    // Not in the order of their ids: processes that store dead letters at the same time overtake each other.
    let letters: Vec<_> = (1..=7).map(|n| n * 3 % 8).map(|n| letter(n, queue(n))).collect();
    store.commit(&store_dead_letter(&letters)).await.unwrap();

    let all: Vec<_> = (1..=7).rev().map(id).collect();
    assert_eq!(listed(&*store, DeadLetterFilter::default(), 100).await, all);
    let page = DeadLetterFilter { before: Some(id(6)), ..DeadLetterFilter::default() };
    assert_eq!(listed(&*store, page, 2).await, [id(5), id(4)]);
    let cancels = Some(Queue::ShippingOrderCancelRequested);
    let page = DeadLetterFilter { queue: cancels, before: None };
    assert_eq!(listed(&*store, page, 100).await, [id(6), id(3)]);
    let page = DeadLetterFilter { queue: cancels, before: Some(id(6)) };
    assert_eq!(listed(&*store, page, 100).await, [id(3)]);
    let page = DeadLetterFilter { queue: Some(Queue::AuditEvents), before: None };
    assert!(listed(&*store, page, 100).await.is_empty());
    assert!(listed(&*store, DeadLetterFilter::default(), 0).await.is_empty());
}

/// A row that brings some message to a queue again.
fn again(letter: u128, queue: Queue) -> Redrive {
    let fresh = saying_one();
    Redrive { letter: id(letter), row: OutboxRow::redriven(world().new_id(), queue, fresh) }
}

fn saying_one() -> Body {
    let message = ordermill_domain::messages::Message::new(
        &crate::values::origin(1),
        ordermill_domain::messages::Payload::Shipping(ShippingMessage::Cancel),
        0,
        at(1),
    );
    Body::One(message)
}

fn redrive(redrives: Vec<Redrive>, seconds: u64) -> Batch<Shipping> {
    let work = OutboxMaintenance { redrive: redrives, ..OutboxMaintenance::default() };
    Batch { at: finer(seconds), ..maintenance(Shipping::default(), work) }
}

pub async fn a_redriven_one_goes_back_to_its_queue_once(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let queue = Queue::ShippingCommands;
    store.commit(&store_dead_letter(&[1, 2, 3].map(|n| letter(n, queue)))).await.unwrap();
    let redrives = vec![again(1, queue), again(3, queue)];
    let rows: Vec<_> = redrives.iter().map(|redrive| redrive.row.clone()).collect();
    // The answer to the first commit was lost, and somebody asks once more besides.
    for seconds in [100, 200] {
        store.commit(&redrive(redrives.clone(), seconds)).await.unwrap();
    }
    store.commit(&redrive(vec![again(1, queue)], 300)).await.unwrap();

    assert_eq!(listed(&*store, DeadLetterFilter::default(), 10).await, [id(2)]);
    assert_eq!(store.dead_letter(id(1)).await.unwrap(), None);
    assert_eq!(store.parked().await.unwrap(), 2);
    assert!(store.waiting(None, 10).await.unwrap().is_empty());
    assert!(store.due(at(99), 10).await.unwrap().is_empty());

    drop(store);
    backend.close().await;
    let store = backend.shipping().await.unwrap().store;
    adopt_all(&*store).await;
    let mut due = store.due(finer(100), 10).await.unwrap();
    due.sort_by_key(|row| row.id);
    let text = |rows: &[OutboxRow]| -> Vec<_> {
        rows.iter().map(|row| (row.id, row.tries, row.to_json())).collect()
    };
    assert_eq!(text(&due), text(&rows));
    for row in &due {
        let Content::Parked(messages) = &row.content else { panic!("{row:?}") };
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].only.as_deref(), Some(&[queue][..]));
        assert_eq!(messages[0].failures.count, 0, "it starts afresh");
    }
}

pub async fn a_redriven_one_that_is_gone_does_nothing(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let queue = Queue::ShippingCommands;
    store.commit(&store_dead_letter(&[letter(1, queue)])).await.unwrap();
    let mut both = redrive(vec![again(9, queue), again(1, queue), again(1, queue)], 100);
    both.changes = saying(5..6).changes;
    let written = store.commit(&both).await.unwrap().outbox;
    assert_eq!(store.parked().await.unwrap(), 1);
    assert!(store.dead_letter(id(1)).await.unwrap().is_none());
    assert_eq!(store.waiting(None, 10).await.unwrap().len(), written.len());
}

fn discard(letters: &[u128], reason: &str, seconds: u64) -> Batch<Shipping> {
    let discard = letters.iter().map(|n| Discard { letter: id(*n), reason: reason.to_owned() });
    let work = OutboxMaintenance { discard: discard.collect(), ..OutboxMaintenance::default() };
    Batch { at: at(seconds), ..maintenance(Shipping::default(), work) }
}

async fn discarded(
    store: &dyn Database<Shipping>,
    filter: DeadLetterFilter,
    limit: u32,
) -> Vec<Uuid> {
    let letters = store.discarded_letters(&filter, limit).await.unwrap();
    letters.iter().map(|discarded| discarded.letter.id).collect()
}

pub async fn a_discarded_one_is_kept_with_its_reason(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let (commands, cancels) = (Queue::ShippingCommands, Queue::ShippingOrderCancelRequested);
    let letters = [letter(1, commands), letter(2, cancels), letter(3, commands)];
    store.commit(&store_dead_letter(&letters)).await.unwrap();
    let reason = format!("nobody can read it: {AWKWARD}");
    // The answer to the first commit was lost: it comes again, and keeps the first time.
    for seconds in [100, 200] {
        store.commit(&discard(&[1, 2], &reason, seconds)).await.unwrap();
    }

    drop(store);
    backend.close().await;
    let store = backend.shipping().await.unwrap().store;
    assert_eq!(listed(&*store, DeadLetterFilter::default(), 10).await, [id(3)]);
    assert_eq!(store.dead_letter(id(1)).await.unwrap(), None);
    let kept = store.discarded_letters(&DeadLetterFilter::default(), 10).await.unwrap();
    let expected = [&letters[1], &letters[0]].map(|letter| DiscardedLetter {
        letter: letter.clone(),
        reason: reason.clone(),
        discarded_at: at(100),
    });
    assert_eq!(kept, expected);
    let of = |queue| DeadLetterFilter { queue: Some(queue), before: None };
    assert_eq!(discarded(&*store, of(commands), 10).await, [id(1)]);
    assert_eq!(discarded(&*store, DeadLetterFilter::default(), 1).await, [id(2)]);
    let page = DeadLetterFilter { queue: None, before: Some(id(2)) };
    assert_eq!(discarded(&*store, page, 10).await, [id(1)]);
}

pub async fn a_discarded_one_that_is_gone_does_nothing(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let queue = Queue::ShippingCommands;
    store.commit(&store_dead_letter(&[letter(1, queue), letter(2, queue)])).await.unwrap();
    store.commit(&redrive(vec![again(1, queue)], 100)).await.unwrap();
    store.commit(&discard(&[1, 9, 2, 2], "gone", 200)).await.unwrap();
    assert!(listed(&*store, DeadLetterFilter::default(), 10).await.is_empty());
    assert_eq!(discarded(&*store, DeadLetterFilter::default(), 10).await, [id(2)]);
    // What is discarded does not come back.
    store.commit(&redrive(vec![again(2, queue)], 300)).await.unwrap();
    assert_eq!(store.parked().await.unwrap(), 1);
}

pub async fn old_discarded_ones_are_forgotten(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let queue = Queue::ShippingCommands;
    store.commit(&store_dead_letter(&[1, 2, 3].map(|n| letter(n, queue)))).await.unwrap();
    for (n, seconds) in [(1, 100), (2, 200), (3, 300)] {
        store.commit(&discard(&[n], "poison", seconds)).await.unwrap();
    }
    assert_eq!(store.forget_discarded(at(100), 10).await.unwrap(), 0);
    assert_eq!(store.forget_discarded(at(300), 1).await.unwrap(), 1, "no more than asked for");
    assert_eq!(store.forget_discarded(at(300), 10).await.unwrap(), 1);
    assert_eq!(discarded(&*store, DeadLetterFilter::default(), 10).await, [id(3)]);
}

pub async fn they_hold_a_message_of_a_megabyte(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let body = "é".repeat(MESSAGE_MAX / 2);
    let long = DeadLetter { body, ..letter(1, Queue::ShippingCommands) };
    store.commit(&store_dead_letter(std::slice::from_ref(&long))).await.unwrap();
    assert!(store.dead_letter(id(1)).await.unwrap() == Some(long));
}

/// A message that is no JSON may hold a NUL, which is text, and which not every database can hold.
pub async fn they_hold_a_message_with_a_nul(backend: &dyn Backend) {
    let store = backend.shipping().await.unwrap().store;
    let nul = |text: &str| text.replace('|', "\u{0}");
    let odd = DeadLetter {
        event_type: Some(nul("shipping|")),
        cause: nul("| is no JSON"),
        body: nul("|a||b|"),
        ..letter(1, Queue::ShippingCommands)
    };
    let ordinary = letter(2, Queue::ShippingCommands);
    store.commit(&store_dead_letter(&[odd.clone(), ordinary.clone()])).await.unwrap();
    let read = store.dead_letter(odd.id).await.unwrap().unwrap();
    let replaced = |text: &str| text.replace('\u{0}', "\u{fffd}");
    assert_eq!(replaced(&read.body), replaced(&odd.body));
    assert_eq!(replaced(&read.cause), replaced(&odd.cause));
    assert_eq!(read.event_type.as_deref().map(replaced), odd.event_type.as_deref().map(replaced));
    assert_eq!(store.dead_letter(ordinary.id).await.unwrap(), Some(ordinary));
}

struct KeepsThem;

impl CheckStore for KeepsThem {
    async fn check<S: Service>(&self, service: S, store: &dyn Database<S>) {
        let letter = letter(1, Queue::OrderEvents);
        let work = OutboxMaintenance {
            dead_letters: vec![letter.clone()],
            ..OutboxMaintenance::default()
        };
        store.commit(&maintenance(service, work)).await.unwrap();
        assert_eq!(store.dead_letter(letter.id).await.unwrap(), Some(letter));
    }
}

pub async fn every_service_keeps_them(backend: &dyn Backend) {
    backend.databases().await.check_each(&KeepsThem).await;
}
