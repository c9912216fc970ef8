//! The choreographed flow: what the saga hears in any order, what it says again, and that every chain ends.

use crate::bench::{Bench, CHOREOGRAPHED, Has};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{
    BINDINGS, Exchange, InventoryMessage, Kind, Message, Origin, Payload, PaymentApproved,
    PaymentMessage, Queue, ShippingMessage,
};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::order::decide::DecideInput;
use ordermill_domain::order::decide_payment_news::is_news;
use ordermill_domain::order::{SagaStatus, Step};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn says(bench: &Bench, payload: Payload) -> Arc<Message> {
    Message::new(&bench.saga.origin, payload, 0, bench.now)
}

/// Every order in which `count` things can come.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1).into_iter();
    shorter
        .flat_map(|order| {
            (0..count).map(move |at| {
                let mut order = order.clone();
                order.insert(at, count - 1);
                order
            })
        })
        .collect()
}

/// Lets the services finish among themselves, then has the order hear of it in every order.
fn heard_in_any_order(prepare: impl Fn() -> Bench, status: &str) -> usize {
    let heard = || {
        let mut bench = prepare();
        bench.run_services();
        bench
    };
    let orders = permutations(heard().bag.len());
    for order in &orders {
        let mut bench = heard();
        let bag = std::mem::take(&mut bench.bag);
        for index in order {
            bench.tell(DecideInput::Message(bag[*index].1.clone()));
            bench.assert_history();
        }
        assert_eq!(bench.saga.status().as_str(), status, "{order:?} of {bag:?}");
        assert!(bench.bag.is_empty(), "it had nothing to add: {:?}", bench.bag);
        bench.assert_sound();
    }
    orders.len()
}

#[test]
fn step_events_are_applied_in_any_order() {
    let placed = |refuse| move || Bench::new(CHOREOGRAPHED, refuse);
    assert_eq!(heard_in_any_order(placed(None), "CONFIRMED"), 6);
    assert_eq!(heard_in_any_order(placed(Some(Step::Payment)), "CANCELLED"), 1);
    assert_eq!(heard_in_any_order(placed(Some(Step::Inventory)), "CANCELLED"), 6);
    assert_eq!(heard_in_any_order(placed(Some(Step::Shipping)), "CANCELLED"), 24);
}

#[test]
fn later_events_are_applied_in_any_order() {
    let confirmed = |input: DecideInput| {
        move || {
            let mut bench = Bench::new(CHOREOGRAPHED, None);
            bench.run();
            assert!(bench.tell(input.clone()));
            bench
        }
    };
    assert_eq!(heard_in_any_order(confirmed(DecideInput::Cancel), "CANCELLED"), 2);
    assert_eq!(heard_in_any_order(confirmed(DecideInput::Dispatch), "SHIPPED"), 2);
    // Cancelled at once: what was done, and what undid it.
    let cancelled = |before: usize| {
        move || {
            let mut bench = Bench::new(CHOREOGRAPHED, None);
            (0..before).for_each(|_| bench.deliver(0, false));
            assert!(bench.tell(DecideInput::Cancel));
            bench
        }
    };
    for before in 0..6 {
        heard_in_any_order(cancelled(before), "CANCELLED");
    }
}

#[test]
fn money_that_comes_back_unexplained_ends_the_order() {
    let mut bench = Bench::new(CHOREOGRAPHED, None);
    for _ in 0..3 {
        said_again(&mut bench);
    }
    bench.bag.clear();
    let reversed = says(&bench, Payload::Payment(PaymentMessage::Reversed));
    assert!(bench.tell(DecideInput::Message(reversed)));
    assert_eq!(bench.saga.status().as_str(), "PENDING", "why may still be heard");
    assert_eq!(bench.saga.due_at, Some(bench.now + bench.policy.step_timeout));
    bench.wait();
    let failure = bench.saga.facts.failure().cloned().expect("nobody said why");
    assert_eq!((failure.step.as_str(), failure.reason.as_str()), ("payment", "payment_reversed"));
    assert_eq!(bench.statuses(), ["PENDING", "PAYMENT_REVERSED", "CANCELLED"]);
    assert!(bench.rests());
    bench.assert_sound();
}

#[test]
fn an_order_whose_money_is_back_is_never_confirmed() {
    let mut bench = Bench::new(CHOREOGRAPHED, None);
    bench.run_services();
    let mut heard: Vec<_> = std::mem::take(&mut bench.bag).into_iter().map(|(_, m)| m).collect();
    heard.insert(1, says(&bench, Payload::Payment(PaymentMessage::Reversed)));
    for message in heard {
        bench.tell(DecideInput::Message(message));
        assert!(bench.saga.facts.confirmed_at.is_none());
    }
}

#[test]
fn every_awaited_step_has_a_name() {
    let mut bench = Bench::new(CHOREOGRAPHED, None);
    assert_eq!(bench.saga.step(), "PROCESSING_PAYMENT");
    bench.tell(DecideInput::Cancel);
    assert_eq!(bench.saga.step(), "CANCELLING_SHIPMENT", "the chain begins there, parcel or not");
    while !bench.saga.facts.step(Step::Shipping).is_undone() {
        bench.deliver(0, false);
    }
    assert_eq!(bench.saga.step(), "REFUNDING_PAYMENT");
    bench.run();
    bench.assert_sound();
}

#[test]
fn an_undoing_passes_through_every_status() {
    let statuses = |step| {
        let mut bench = Bench::new(CHOREOGRAPHED, Some(step));
        bench.run();
        bench.statuses().join(" ")
    };
    assert_eq!(statuses(Step::Payment), "PENDING PAYMENT_FAILED CANCELLED");
    assert_eq!(
        statuses(Step::Inventory),
        "PENDING PAYMENT_APPROVED INVENTORY_FAILED PAYMENT_REVERSED CANCELLED"
    );
    assert_eq!(
        statuses(Step::Shipping),
        "PENDING PAYMENT_APPROVED INVENTORY_RESERVED SHIPPING_FAILED PAYMENT_REVERSED CANCELLED"
    );
}

#[test]
fn an_impossible_event_raises_an_alarm() {
    let confirmed = || {
        let mut bench = Bench::new(CHOREOGRAPHED, None);
        bench.run();
        bench
    };
    let cancelled = || {
        let mut bench = confirmed();
        bench.tell(DecideInput::Cancel);
        bench.run();
        assert_eq!(bench.saga.saga_status(), SagaStatus::Compensated);
        bench
    };
    let alarms = |mut bench: Bench, payload: Payload| {
        let message = says(&bench, payload);
        bench.tell(DecideInput::Message(message));
        bench.saga.saga_status() == SagaStatus::Failed
    };
    assert!(alarms(cancelled(), Payload::Shipping(ShippingMessage::Dispatched)));
    assert!(alarms(cancelled(), Payload::Inventory(InventoryMessage::Committed)));
    assert!(alarms(confirmed(), Payload::Shipping(ShippingMessage::Dispatched)));
    assert!(alarms(confirmed(), Payload::Inventory(InventoryMessage::Committed)));
    assert!(alarms(confirmed(), Payload::Shipping(ShippingMessage::Delivered)));
    assert!(alarms(confirmed(), Payload::Payment(PaymentMessage::Reversed)));
    let total = Money { minor: 9980, currency: Currency::USD };
    let late = PaymentApproved { total, transaction_id: "tx".to_owned() };
    assert!(
        !alarms(cancelled(), Payload::Payment(PaymentMessage::Approved(late))),
        "late, but possible"
    );
}

#[test]
fn no_command_is_ever_said_and_only_two_events_carry_the_order() {
    for refuse in [None, Some(Step::Inventory), Some(Step::Payment), Some(Step::Shipping)] {
        let mut bench = Bench::new(CHOREOGRAPHED, refuse);
        bench.run();
        bench.tell(DecideInput::Dispatch);
        bench.run();
        bench.tell(DecideInput::Deliver);
        bench.run();
        for message in &bench.said {
            assert!(message.kind().is_event(), "{message:?}");
            let carries = matches!(message.kind(), Kind::PaymentApproved | Kind::InventoryReserved);
            assert_eq!(message.origin.order.is_some(), carries, "{message:?}");
        }
    }
}

/// Loses everything that was under way; the messages that are then sent again.
fn said_again(bench: &mut Bench) -> Vec<Kind> {
    bench.bag.clear();
    let before = bench.said.len();
    let ids: BTreeSet<_> = bench.said.iter().map(|message| message.event_id).collect();
    bench.wait();
    let again = &bench.said[before..];
    assert!(again.iter().all(|message| ids.contains(&message.event_id)), "under its own id");
    again.iter().map(|message| message.kind()).collect()
}

#[test]
fn republishing_one_event_resumes_the_chain() {
    let mut bench = Bench::new(CHOREOGRAPHED, None);
    for _ in 0..6 {
        assert_eq!(said_again(&mut bench), [Kind::OrderCreated]);
        // One delivery further than the last time.
        let known = bench.history.len();
        while bench.history.len() == known {
            bench.deliver(0, false);
        }
        if bench.saga.facts.confirmed_at.is_some() {
            break;
        }
    }
    bench.run();
    assert!(said_again(&mut bench).is_empty(), "confirmed: a rest");
    bench.tell(DecideInput::Dispatch);
    assert_eq!(said_again(&mut bench), [Kind::OrderDispatchRequested]);
    while bench.saga.facts.step(Step::Dispatch).done_at().is_none() {
        bench.deliver(0, false);
    }
    assert_eq!(said_again(&mut bench), [Kind::OrderDispatchRequested], "until the stock has left");
    bench.run();
    bench.tell(DecideInput::Deliver);
    assert_eq!(said_again(&mut bench), [Kind::OrderDeliveryConfirmed]);
    bench.run();
    bench.assert_sound();

    let mut bench = Bench::new(CHOREOGRAPHED, None);
    bench.tell(DecideInput::Cancel);
    assert_eq!(said_again(&mut bench), [Kind::OrderCancelRequested]);
    bench.run();
    bench.assert_sound();

    let mut bench = Bench::new(CHOREOGRAPHED, Some(Step::Shipping));
    while bench.saga.facts.failure().is_none() {
        bench.deliver(0, false);
    }
    assert_eq!(said_again(&mut bench), [Kind::OrderCreated]);
    bench.run();
    assert_eq!(bench.has, [Has::Undone, Has::Undone, Has::Refused]);
    bench.assert_sound();
}

#[test]
fn patience_begins_anew_with_each_progress() {
    let mut bench = Bench::new(CHOREOGRAPHED, None);
    for _ in 0..3 {
        said_again(&mut bench);
    }
    assert_eq!(bench.saga.sending.again, 3);
    bench.wait();
    while bench.saga.facts.payment().is_none() {
        bench.deliver(0, false);
    }
    assert_eq!((bench.saga.sending.again, bench.saga.sending.at), (0, bench.now));
}

/// The possible answers of a service to a message, whatever state the order was in.
fn answers(service: ServiceName, heard: Kind) -> &'static [Kind] {
    use Kind as K;
    match (service, heard) {
        (ServiceName::Payment, K::OrderCreated) => {
            &[K::PaymentApproved, K::PaymentFailed, K::PaymentReversed]
        }
        (ServiceName::Payment, _) => &[K::PaymentReversed],
        (ServiceName::Inventory, K::PaymentApproved) => {
            &[K::InventoryReserved, K::InventoryFailed, K::InventoryReleased, K::InventoryCommitted]
        }
        (ServiceName::Inventory, _) => {
            &[K::InventoryFailed, K::InventoryReleased, K::InventoryCommitted]
        }
        (ServiceName::Shipping, _) => {
            &[K::ShippingScheduled, K::ShippingFailed, K::ShippingDispatched, K::ShippingDelivered]
        }
        _ => &[],
    }
}

#[test]
fn every_chain_ends() {
    fn longest(from: Kind, path: &mut Vec<Kind>) -> usize {
        assert!(!path.contains(&from), "a circle: {path:?} and {from} again");
        path.push(from);
        let heard = |binding: &&ordermill_domain::messages::Binding| {
            binding.exchange != Exchange::SagaEvents && binding.key == from.as_str()
        };
        let mut length = 0;
        for binding in BINDINGS.iter().copied().flatten().filter(heard) {
            for answer in answers(binding.queue.service(), from) {
                length = length.max(longest(*answer, path));
            }
        }
        path.pop();
        length + 1
    }
    let longest = |from| longest(from, &mut Vec::new());
    assert_eq!(
        longest(Kind::OrderCreated),
        6,
        "created, approved, reserved, failed, released, reversed"
    );
    assert_eq!(longest(Kind::OrderCancelRequested), 4);
    assert_eq!(longest(Kind::OrderDispatchRequested), 4);
    assert_eq!(longest(Kind::OrderDeliveryConfirmed), 4);
}

#[test]
fn an_event_that_does_not_say_what_was_ordered_is_refused() {
    let bench = Bench::new(CHOREOGRAPHED, None);
    let slim = Origin { order: None, ..bench.saga.origin.clone() };
    let event = |payload| Message::new(&slim, payload, 0, bench.now);
    let total = Money { minor: 9980, currency: Currency::USD };
    let approved = PaymentApproved { total, transaction_id: "tx".to_owned() };
    let approved = event(Payload::Payment(PaymentMessage::Approved(approved)));
    assert!(ordermill_domain::inventory::change(&approved).is_err());
    let reserved = event(Payload::Inventory(InventoryMessage::Reserved(Vec::new())));
    assert!(ordermill_domain::shipping::change(&reserved).is_err());
}

#[test]
fn the_nine_routing_keys_have_their_publishers_and_consumers() {
    use ServiceName::{Inventory, Order, Payment, Shipping};
    let table: [(&str, ServiceName, &[ServiceName]); 9] = [
        ("order.created", Order, &[Payment]),
        ("payment.approved", Payment, &[Order, Inventory]),
        ("payment.failed", Payment, &[Order]),
        ("payment.reversed", Payment, &[Order]),
        ("inventory.reserved", Inventory, &[Order, Shipping]),
        ("inventory.failed", Inventory, &[Order, Payment]),
        ("inventory.released", Inventory, &[Payment]),
        ("shipping.scheduled", Shipping, &[Order]),
        ("shipping.failed", Shipping, &[Order, Inventory]),
    ];
    let ours = [
        "order.cancel_requested",
        "order.dispatch_requested",
        "order.delivery_confirmed",
        "shipping.dispatched",
        "shipping.delivered",
        "inventory.committed",
    ];
    let publisher = |exchange| {
        let mut all = ServiceName::ALL.iter().copied();
        all.find(|service| Exchange::of_events(*service) == Some(exchange))
    };
    let mut bound: BTreeMap<&str, (ServiceName, BTreeSet<ServiceName>)> = BTreeMap::new();
    let mut queues: Vec<Queue> = Vec::new();
    for binding in BINDINGS.iter().copied().flatten() {
        let Some(publisher) = publisher(binding.exchange) else { continue };
        let consumer = binding.queue.service();
        let (by, consumers) =
            bound.entry(binding.key).or_insert_with(|| (publisher, BTreeSet::new()));
        assert_eq!(*by, publisher, "{} has one publisher", binding.key);
        assert!(consumers.insert(consumer), "{} twice to {consumer}", binding.key);
        if binding.queue == Queue::OrderPaymentUpdates {
            continue;
        }
        let event = binding.key.replace(['.', '_'], "-");
        assert_eq!(binding.queue.as_str(), format!("{consumer}.{event}"));
        queues.push(binding.queue);
    }
    let all = queues.len();
    queues.sort_unstable();
    queues.dedup();
    assert_eq!(queues.len(), all, "each queue takes one event");
    let is_news = |key: &&str| Kind::ALL.iter().any(|kind| kind.as_str() == *key && is_news(*kind));
    let news: Vec<_> = bound.extract_if(.., |key, _| is_news(key)).collect();
    assert_eq!(news.len(), 6, "what payment tells beside the answers of its step, in one queue");
    assert!(news.iter().all(|(_, (by, to))| *by == Payment && *to == BTreeSet::from([Order])));
    for (key, publisher, consumers) in table {
        let consumers = consumers.iter().copied().collect();
        assert_eq!(bound.remove(key), Some((publisher, consumers)), "{key}");
    }
    assert_eq!(bound.into_keys().collect::<BTreeSet<_>>(), BTreeSet::from(ours));
}
