//! Every step failed, repeated, undone twice, from one shared helper; and cancel at every state.

use crate::bench::{Bench, CHOREOGRAPHED, Has, PAYMENT_FIRST, RESERVE_FIRST, WAYS, Way};
use ordermill_domain::messages::Kind;
use ordermill_domain::order::decide::DecideInput;
use ordermill_domain::order::{SagaStatus, Step};

const STEPS: [Step; 3] = [Step::Inventory, Step::Payment, Step::Shipping];

/// Plays an order to its rest with every message delivered `times` times, `disturb` being called
/// before each delivery.
fn play(
    way: Way,
    refuse: Option<Step>,
    times: usize,
    mut disturb: impl FnMut(usize, &mut Bench),
) -> Bench {
    let mut bench = Bench::new(way, refuse);
    let mut delivered = 0;
    while !bench.bag.is_empty() {
        disturb(delivered, &mut bench);
        let answers_before = bench.bag.len();
        for _ in 1..times {
            bench.deliver(0, true);
        }
        bench.deliver(0, false);
        delivered += 1;
        assert!(delivered < 10_000, "no end: {answers_before} messages in the bag");
    }
    bench.assert_sound();
    bench
}

fn undisturbed(_: usize, _: &mut Bench) {}

#[test]
fn the_happy_path_passes_through_every_status_of_its_plan() {
    let statuses = |way| play(way, None, 1, undisturbed).statuses();
    assert_eq!(
        statuses(RESERVE_FIRST),
        ["PENDING", "INVENTORY_RESERVED", "PAYMENT_APPROVED", "CONFIRMED"]
    );
    for way in [PAYMENT_FIRST, CHOREOGRAPHED] {
        assert_eq!(
            statuses(way),
            ["PENDING", "PAYMENT_APPROVED", "INVENTORY_RESERVED", "CONFIRMED"]
        );
    }
}

#[test]
fn every_step_that_fails_is_undone_from_there() {
    for way in WAYS {
        for step in STEPS {
            let bench = play(way, Some(step), 1, undisturbed);
            let failure = bench.saga.facts.failure().cloned().expect("it failed");
            assert_eq!(failure.step, step.as_str());
            let failed = format!("{}_FAILED", step.as_str().to_uppercase());
            assert!(bench.statuses().contains(&failed.as_str()), "{:?}", bench.statuses());
            assert_eq!(bench.statuses().last(), Some(&"CANCELLED"));
        }
    }
}

#[test]
fn a_refused_first_step_has_nothing_to_undo() {
    let bench = play(RESERVE_FIRST, Some(Step::Inventory), 1, undisturbed);
    assert_eq!(bench.has, [Has::Refused, Has::Nothing, Has::Nothing]);
    assert_eq!(bench.statuses(), ["PENDING", "INVENTORY_FAILED", "CANCELLED"]);
    assert!(bench.said.iter().all(|message| message.kind() != Kind::InventoryRelease));
}

#[test]
fn every_message_repeated_changes_nothing() {
    for way in WAYS {
        for refuse in [None, Some(Step::Inventory), Some(Step::Payment), Some(Step::Shipping)] {
            let once = play(way, refuse, 1, undisturbed);
            // Each copy of a command is answered, and each answer copied again: three already make
            // a few hundred deliveries.
            for times in [2, 3] {
                let often = play(way, refuse, times, undisturbed);
                assert_eq!(once.saga.status(), often.saga.status());
                assert_eq!(once.has, often.has);
                assert_eq!(once.statuses(), often.statuses());
            }
        }
    }
}

#[test]
fn cancelled_before_any_delivery_nothing_is_left_behind() {
    for way in WAYS {
        for at in 0..6 {
            for times in [1, 2] {
                let bench = play(way, None, times, |delivered, bench| {
                    if delivered == at {
                        assert!(bench.tell(DecideInput::Cancel));
                        assert!(bench.tell(DecideInput::Cancel), "asked twice is as good as once");
                    }
                });
                assert_eq!(bench.saga.status().as_str(), "CANCELLED", "{way:?} at {at}");
            }
        }
    }
}

#[test]
fn cancelled_at_rest_everything_is_undone() {
    for way in WAYS {
        let mut bench = Bench::new(way, None);
        bench.run();
        assert!(bench.rests() && bench.tell(DecideInput::Cancel));
        bench.run();
        bench.assert_sound();
        assert_eq!(bench.statuses()[3..], ["CONFIRMED", "PAYMENT_REVERSED", "CANCELLED"]);
        assert_eq!(bench.has, [Has::Undone; 3]);
    }
}

#[test]
fn an_expired_order_is_undone_whatever_was_answered() {
    for way in WAYS {
        for at in 0..6 {
            let mut bench = Bench::new(way, None);
            for _ in 0..at {
                bench.deliver(0, false);
            }
            // The rest is lost; time passes.
            bench.bag.clear();
            while bench.saga.facts.failure().is_none() {
                bench.wait();
                bench.bag.clear();
            }
            for _ in 0..20 {
                bench.run();
                bench.wait();
            }
            bench.assert_sound();
            assert_eq!(bench.saga.status().as_str(), "CANCELLED");
            let failure = bench.saga.facts.failure().cloned().expect("it expired");
            assert_eq!(failure.reason, "deadline_exceeded");
        }
    }
}

#[test]
fn shipping_is_undone_first_and_alone() {
    for way in [RESERVE_FIRST, PAYMENT_FIRST] {
        let mut bench = Bench::new(way, None);
        while !bench.said.iter().any(|message| message.kind() == Kind::ShippingSchedule) {
            bench.deliver(0, false);
        }
        bench.tell(DecideInput::Cancel);
        let undone = |bench: &Bench, kind| bench.said.iter().any(|m| m.kind() == kind);
        assert!(undone(&bench, Kind::ShippingCancel));
        assert!(!undone(&bench, Kind::PaymentRefund) && !undone(&bench, Kind::InventoryRelease));
        bench.run();
        assert!(undone(&bench, Kind::PaymentRefund) && undone(&bench, Kind::InventoryRelease));
        bench.assert_sound();
    }
}

#[test]
fn a_compensation_past_its_deadline_is_failed_and_keeps_retrying() {
    let mut bench = Bench::new(RESERVE_FIRST, Some(Step::Payment));
    while bench.saga.facts.failure().is_none() {
        bench.deliver(0, false);
    }
    let mut tries = 0;
    while bench.saga.saga_status() != SagaStatus::Failed {
        bench.bag.clear();
        bench.wait();
        tries += 1;
        assert!(tries < 100);
    }
    assert!(bench.saga.due_at.is_some(), "it goes on trying");
    bench.bag.clear();
    assert!(bench.tell(DecideInput::Retry), "an operator may retry it at once");
    bench.run();
    bench.assert_sound();
    assert!(!bench.tell(DecideInput::Retry), "nothing is left to retry");
}

#[test]
fn dispatch_only_from_confirmed_and_delivery_only_from_shipped() {
    for way in WAYS {
        let mut bench = Bench::new(way, None);
        assert!(!bench.tell(DecideInput::Dispatch));
        bench.run();
        assert!(!bench.tell(DecideInput::Deliver));
        assert!(bench.tell(DecideInput::Dispatch) && bench.tell(DecideInput::Dispatch));
        assert!(!bench.tell(DecideInput::Cancel), "dispatch was asked for");
        bench.run();
        assert_eq!(bench.saga.status().as_str(), "SHIPPED");
        bench.assert_sound();
        assert!(bench.tell(DecideInput::Deliver));
        bench.run();
        assert_eq!(bench.saga.status().as_str(), "COMPLETED");
        assert_eq!(bench.has, [Has::Gone, Has::Done, Has::Arrived]);
        bench.assert_sound();
    }
}

#[test]
fn confirmed_orders_dispatch_themselves_when_told_to() {
    for way in WAYS {
        let mut bench = Bench::new(way, None);
        bench.policy.dispatch_after = Some(std::time::Duration::from_secs(2));
        bench.run();
        assert_eq!(bench.saga.status().as_str(), "CONFIRMED");
        bench.wait();
        bench.run();
        assert_eq!(bench.saga.status().as_str(), "SHIPPED");
        assert!(bench.rests());
    }
}
