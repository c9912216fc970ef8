//! The ledger's promises, through any sequence of calls on any keys, in batches of any size.

use super::*;
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::money::{Currency, Money};
use crate::payment::{Charge, ChargeRequest, GatewayKey, Undone};
use crate::service::{Outcome, Service};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use uuid::Uuid;

const AMOUNT: Money = Money { minor: 4_990, currency: Currency::USD };
const METHODS: [&str; 6] = [
    "credit_card",
    "test_declined",
    "test_timeout_charged",
    "test_timeout_uncharged",
    "test_slow",
    "test_refund_fails",
];

fn at() -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(1)
}

fn key(n: usize) -> GatewayKey {
    GatewayKey::of(OrderId(Uuid::from_u128(n as u128)))
}

/// The `n`th order, which pays by the `n`th method.
fn charge(n: usize) -> ChargeRequest {
    let order_id = OrderId(Uuid::from_u128(n as u128));
    ChargeRequest { key: key(n), order_id, amount: AMOUNT, method: METHODS[n].to_owned() }
}

fn calls() -> impl Strategy<Value = Vec<GatewayChange>> {
    let call = (0..METHODS.len(), 0..4_u8).prop_map(|(n, what)| match what {
        0 | 1 => GatewayChange::Charge(charge(n)),
        2 => GatewayChange::Void(key(n)),
        _ => GatewayChange::Refund(key(n), AMOUNT),
    });
    prop::collection::vec(call, 0..60)
}

/// Settles calls in batches of a size; every answer and the ledger as it is then.
fn decide_all(
    calls: &[GatewayChange],
    size: usize,
) -> (Vec<GatewayResponse>, BTreeMap<GatewayKey, Entry>) {
    let gateway = SimulatedGateway::default();
    let mut ledger = BTreeMap::<GatewayKey, Entry>::new();
    let mut answers = Vec::new();
    for batch in calls.chunks(size) {
        let keys = SimulatedGateway::keys(batch);
        let rows: HashMap<_, _> =
            keys.iter().filter_map(|key| Some((*key, ledger.get(key)?.clone()))).collect();
        let decided = gateway.decide_batch(rows, batch, at());
        assert!(decided.messages.is_empty());
        for entry in decided.writes.inserted {
            assert!(ledger.insert(entry.key, entry).is_none());
        }
        for entry in decided.writes.updated {
            assert!(ledger.insert(entry.key, entry).is_some());
        }
        answers.extend(decided.outcomes.into_iter().map(|outcome| match outcome {
            Outcome::Done(response) => response,
            Outcome::Refused => panic!("no call is refused"),
        }));
    }
    (answers, ledger)
}

proptest! {
    #[test]
    fn a_batch_is_its_calls_one_after_the_other(calls in calls(), size in 1_usize..20) {
        prop_assert_eq!(decide_all(&calls, size), decide_all(&calls, 1));
    }

    #[test]
    fn a_key_is_captured_once_and_given_back_once(calls in calls()) {
        let mut captured = BTreeMap::new();
        for end in 0..=calls.len() {
            let (_, ledger) = decide_all(&calls[..end], 1);
            for entry in ledger.values() {
                prop_assert!(entry.captured_minor == 0 || entry.captured_minor == AMOUNT.minor);
                prop_assert!(entry.refunded_minor == 0 || entry.refunded_minor == entry.captured_minor);
                prop_assert_eq!(entry.held_minor() > 0, entry.status == EntryStatus::Charged);
                if entry.is_captured() {
                    let first = captured.entry(entry.key).or_insert(entry.transaction_id.clone());
                    prop_assert_eq!(&*first, &entry.transaction_id);
                }
            }
        }
    }

    #[test]
    fn once_it_says_that_nothing_is_held_nothing_ever_is(calls in calls()) {
        let (answers, _) = decide_all(&calls, 1);
        for (index, response) in answers.iter().enumerate() {
            if let GatewayResponse::Undone(_) = response {
                for end in index + 1..=calls.len() {
                    let (_, ledger) = decide_all(&calls[..end], 1);
                    prop_assert_eq!(ledger[&calls[index].key()].held_minor(), 0);
                }
            }
        }
    }
}

fn approved(n: usize) -> Charge {
    let transaction_id = format!("sim-{}", key(n).0.simple());
    Charge::Approved { transaction_id, amount: AMOUNT }
}

fn declined(reason: &str) -> GatewayResponse {
    GatewayResponse::Charge(Charge::Declined { reason: reason.to_owned() }, Duration::ZERO)
}

#[test]
fn asked_again_it_answers_the_same_and_a_test_method_plays_its_part() {
    let response = |n: usize, calls: &[GatewayChange]| {
        let charges = vec![GatewayChange::Charge(charge(n)); 4];
        decide_all(&[&charges[..], calls].concat(), 100).0
    };
    let yes = |n| GatewayResponse::Charge(approved(n), Duration::ZERO);
    let late = GatewayResponse::Charge(approved(4), Duration::from_secs(2));
    assert_eq!(response(0, &[]), vec![yes(0); 4]);
    assert_eq!(response(1, &[]), vec![declined("declined"); 4]);
    assert_eq!(
        response(2, &[]),
        [GatewayResponse::Nothing, GatewayResponse::Nothing, yes(2), yes(2)]
    );
    assert_eq!(
        response(3, &[]),
        [GatewayResponse::Nothing, GatewayResponse::Nothing, yes(3), yes(3)]
    );
    assert_eq!(response(4, &[]), [late, yes(4), yes(4), yes(4)]);
    let refunds = vec![GatewayChange::Refund(key(5), AMOUNT); 6];
    let refunded = GatewayResponse::Undone(Undone { refunded: Some(AMOUNT) });
    let refused = GatewayResponse::Error("the refund is declined");
    assert_eq!(response(5, &refunds)[4..9], vec![refused; 5]);
    assert_eq!(response(5, &refunds)[9], refunded);
}

#[test]
fn the_silent_charge_is_booked_by_one_method_and_not_by_the_other() {
    for (n, held) in [(2, AMOUNT.minor), (3, 0)] {
        let (_, ledger) = decide_all(&[GatewayChange::Charge(charge(n))], 1);
        assert_eq!(ledger[&key(n)].held_minor(), held);
    }
}

#[test]
fn a_closed_key_declines_whatever_comes_late() {
    let late = [GatewayChange::Void(key(0)), GatewayChange::Charge(charge(0))];
    let nothing = GatewayResponse::Undone(Undone { refunded: None });
    assert_eq!(decide_all(&late, 2).0, [nothing, declined("voided")]);
    let refunded = GatewayResponse::Undone(Undone { refunded: Some(AMOUNT) });
    let charged = [&[GatewayChange::Charge(charge(0))], &late[..]].concat();
    assert_eq!(decide_all(&charged, 3).0[1..], [refunded, declined("refunded")]);
}

#[test]
fn a_key_is_good_for_one_charge_only() {
    let other = ChargeRequest { amount: Money { minor: 1, ..AMOUNT }, ..charge(0) };
    let calls = [GatewayChange::Charge(charge(0)), GatewayChange::Charge(other)];
    let (answers, ledger) = decide_all(&calls, 2);
    assert_eq!(answers[1], declined("key_reused"));
    assert_eq!(ledger[&key(0)].held_minor(), AMOUNT.minor);
}
