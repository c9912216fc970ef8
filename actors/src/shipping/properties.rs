//! Properties that hold for any sequence of commands to any orders: repeated, reordered, batched in any way.

use super::*;
use crate::testing::MemoryTables;
use chrono::{DateTime, TimeDelta};
use ordermill_domain::clock::Timestamp;
use ordermill_domain::ids::OrderId;
use ordermill_domain::messages::{
    Address, Flow, Kind, Message, Origin, Payload, Plan, Priority, ShippingMessage,
    ShippingSchedule,
};
use ordermill_domain::money::{Currency, Money};
use ordermill_domain::service::{Outcome, Service};
use ordermill_domain::shipping::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Few orders, so that commands meet.
const ORDERS: u128 = 3;

fn order(number: u128) -> OrderId {
    OrderId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + number))
}

/// An order's schedule command is always the same: the last order's goes nowhere.
fn schedule(number: u128) -> Command {
    let postal_code = (number + 1 == ORDERS).then(|| UNDELIVERABLE_POSTAL_CODE.to_owned());
    Command::Schedule(ShippingSchedule {
        units: 2,
        address: Some(Address { postal_code, ..Address::default() }),
        priority: Priority::Standard,
        total: Money { minor: 9_980, currency: Currency::USD },
    })
}

fn change() -> impl Strategy<Value = Change> {
    (0..ORDERS, 0..4).prop_map(|(number, command)| Change {
        origin: Origin {
            order_id: order(number),
            flow: Flow::Orchestrated,
            plan: Plan::ReserveFirst,
            request_id: None,
            traceparent: None,
            order: None,
        },
        command: match command {
            0 => schedule(number),
            1 => Command::Cancel,
            2 => Command::Dispatch,
            _ => Command::Deliver,
        },
    })
}

/// Batches of commands, in any grouping.
fn batches() -> impl Strategy<Value = Vec<Vec<Change>>> {
    prop::collection::vec(prop::collection::vec(change(), 1..5), 1..20)
}

fn at(batch: usize) -> Timestamp {
    let nanos = TimeDelta::nanoseconds(1_001);
    DateTime::UNIX_EPOCH + (TimeDelta::seconds(1) + nanos) * i32::try_from(batch).unwrap()
}

/// Every command with what came of it: the outcome's message, or none when it was too early.
type Played = Vec<(Change, Option<Arc<Message>>)>;

fn play(batches: &[Vec<Change>]) -> (Played, ShippingMemory) {
    let shipping = Shipping::default();
    let mut memory = ShippingMemory::default();
    let mut played = Vec::new();
    for (number, changes) in batches.iter().enumerate() {
        let rows = memory.load(&Shipping::keys(changes));
        let decided = shipping.decide_batch(rows, changes, at(number));
        memory.write(&decided.writes, at(number));
        let mut said = decided.messages.into_iter();
        for (change, outcome) in changes.iter().zip(decided.outcomes) {
            let message = match outcome {
                Outcome::Done(ShippingAnswer::OutcomePublished) => Some(said.next().unwrap()),
                Outcome::Done(ShippingAnswer::Early(_)) => None,
                Outcome::Refused => panic!("decided on the locked row, nothing is refused"),
            };
            played.push((change.clone(), message));
        }
        assert!(said.next().is_none(), "one message for each command that is answered");
    }
    (played, memory)
}

proptest! {
    #[test]
    fn a_cancel_is_answered_by_failure_unless_the_parcel_has_left(batches in batches()) {
        for (change, message) in play(&batches).0 {
            let Command::Cancel = change.command else { continue };
            let message = message.expect("a cancel is never too early");
            match &message.payload {
                Payload::Shipping(ShippingMessage::Failed(refusal)) => {
                    prop_assert_eq!(&refusal.reason, WORD_CANCELLED);
                }
                Payload::Shipping(ShippingMessage::Dispatched | ShippingMessage::Delivered) => {}
                other => prop_assert!(false, "answered by {}", other.kind()),
            }
        }
    }

    #[test]
    fn nothing_leaves_after_it_was_cancelled_or_refused(batches in batches()) {
        let mut ended = BTreeMap::<OrderId, ()>::new();
        for (change, message) in play(&batches).0 {
            let Some(message) = message else { continue };
            let order = change.origin.order_id;
            match message.kind() {
                Kind::ShippingFailed => {
                    ended.insert(order, ());
                }
                _ => prop_assert!(!ended.contains_key(&order), "{} after the end", message.kind()),
            }
        }
    }

    #[test]
    fn a_parcel_is_scheduled_then_dispatched_then_delivered(batches in batches()) {
        let rank = |kind| match kind {
            Kind::ShippingScheduled => 1,
            Kind::ShippingDispatched => 2,
            Kind::ShippingDelivered => 3,
            _ => 4,
        };
        let mut last = BTreeMap::<OrderId, i32>::new();
        for (change, message) in play(&batches).0 {
            let Some(message) = message else { continue };
            let before = last.insert(change.origin.order_id, rank(message.kind())).unwrap_or(0);
            prop_assert!(rank(message.kind()) >= before, "outcomes only move on");
            prop_assert!(rank(message.kind()) != 2 || before >= 1, "dispatched what was not there");
            prop_assert!(rank(message.kind()) != 3 || before >= 2, "delivered what never left");
        }
    }

    #[test]
    fn the_same_outcome_is_the_same_message(batches in batches()) {
        let mut said = BTreeMap::<Uuid, String>::new();
        let (played, memory) = play(&batches);
        for (change, message) in &played {
            let Some(message) = message else { continue };
            let text = message.json().to_owned();
            let first = said.entry(message.event_id).or_insert_with(|| text.clone());
            prop_assert_eq!(&*first, &text, "one id, one message ({:?})", change.command);
        }
        for (change, message) in played.iter().rev() {
            let latest = &memory.shipments.get(&change.origin.order_id);
            if let (Some(shipment), Some(_)) = (latest, message) {
                let again = shipment.outcome(&change.origin);
                prop_assert!(said.contains_key(&again.event_id), "the row knows what was said");
            }
        }
    }

    #[test]
    fn batching_of_commands_changes_only_times(batches in batches()) {
        let together: Vec<_> = batches.concat();
        let kinds = |batches: &[Vec<Change>]| -> Vec<_> {
            play(batches).0.into_iter().map(|(_, message)| message.map(|m| m.event_id)).collect()
        };
        prop_assert_eq!(kinds(&batches), kinds(&[together]));
    }
}

#[test]
fn the_schedule_is_a_function_of_the_order() {
    let origin = Origin {
        order_id: order(0),
        flow: Flow::Orchestrated,
        plan: Plan::ReserveFirst,
        request_id: None,
        traceparent: None,
        order: None,
    };
    let (played, _) = play(&[vec![Change { origin, command: schedule(0) }]]);
    let Payload::Shipping(ShippingMessage::Scheduled(shipment)) =
        &played[0].1.as_ref().unwrap().payload
    else {
        panic!("{played:?}");
    };
    assert_eq!(shipment.freight.decimal(), "8.00");
    assert!((3..=7).contains(&(shipment.estimated_delivery - at(0)).num_days()));
}
