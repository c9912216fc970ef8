//! When an answer is late, and when our own lag explains that it is not there yet.

use crate::bench::{Bench, RESERVE_FIRST, WAYS};
use ordermill_domain::messages::Kind;
use ordermill_domain::order::SagaPolicy;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// An order whose every message is lost, looked at whenever it is due, for so long: when each of its messages
/// was sent, in seconds after it was placed.
fn sent_while_lost(bench: &mut Bench, long: Duration) -> Vec<i64> {
    let placed = bench.now;
    bench.policy.order_timeout = DAY;
    let (mut sent, mut seen) = (Vec::new(), 0);
    loop {
        bench.bag.clear();
        // Commands, or the one event that makes a chain move.
        let asked = |kind: Kind| !kind.is_event() || kind == Kind::OrderCreated;
        let news = bench.said[seen..].iter().filter(|message| asked(message.kind())).count();
        sent.extend(std::iter::repeat_n((bench.now - placed).num_seconds(), news));
        seen = bench.said.len();
        match bench.saga.due_at {
            Some(due) if due <= placed + long => bench.wait(),
            Some(_) => return sent,
            None => panic!("an order that waits for an answer is looked at again"),
        }
    }
}

#[test]
fn an_answer_that_is_late_is_asked_for_again_after_twice_as_long_each_time() {
    let mut bench = Bench::new(RESERVE_FIRST, None);
    let sent = sent_while_lost(&mut bench, Duration::from_secs(2_400));
    let again: Vec<_> = sent.into_iter().filter(|at| *at > 0).collect();
    assert_eq!(again, [30, 90, 210, 450, 930, 1_530, 2_130]);
}

#[test]
fn an_answer_delayed_by_our_own_lag_is_not_requested_again() {
    for way in WAYS {
        let mut bench = Bench::new(way, None);
        bench.lag = DAY;
        let sent = sent_while_lost(&mut bench, Duration::from_secs(599));
        assert!(sent.iter().all(|at| *at == 0), "{way:?}: {sent:?}");
    }
}

#[test]
fn a_permanent_lag_does_not_postpone_for_ever() {
    for way in WAYS {
        let mut bench = Bench::new(way, None);
        bench.lag = DAY;
        let sent = sent_while_lost(&mut bench, Duration::from_secs(3_700));
        let again: Vec<_> = sent.into_iter().filter(|at| *at > 0).collect();
        assert_eq!(again, [600, 1_200, 1_800, 2_400, 3_000, 3_600], "{way:?}");
    }
}

#[test]
fn a_short_lag_excuses_a_short_delay() {
    let mut bench = Bench::new(RESERVE_FIRST, None);
    bench.lag = Duration::from_secs(5);
    let sent = sent_while_lost(&mut bench, Duration::from_secs(100));
    let again: Vec<_> = sent.into_iter().filter(|at| *at > 0).collect();
    assert_eq!(again, [30, 90], "four turns of five seconds do not explain thirty");
}

#[test]
fn a_deadline_holds_whatever_the_lag() {
    let mut bench = Bench::new(RESERVE_FIRST, None);
    bench.lag = DAY;
    bench.bag.clear();
    while !bench.saga.facts.is_failing() {
        bench.wait();
    }
    let waited = bench.now - bench.saga.created_at;
    assert_eq!(waited, chrono::TimeDelta::from_std(SagaPolicy::default().order_timeout).unwrap());
}

/// Delivers everything, so long apart; when the saga was to be looked at after each delivery.
fn due_on_the_way(bench: &mut Bench, apart: Duration) -> Vec<i64> {
    let placed = bench.now;
    let mut due = Vec::new();
    while !bench.bag.is_empty() {
        bench.now += apart;
        bench.deliver(0, false);
        due.extend(bench.saga.due_at.map(|due| (due - placed).num_seconds()));
    }
    due
}

#[test]
fn a_quick_order_keeps_the_time_at_which_it_is_looked_at_and_a_slow_one_moves_it() {
    let mut quick = Bench::new(RESERVE_FIRST, None);
    let due = due_on_the_way(&mut quick, Duration::from_millis(50));
    assert!(due.iter().all(|at| *at == 30), "{due:?}");
    assert!(quick.rests());

    let mut slow = Bench::new(RESERVE_FIRST, None);
    let due = due_on_the_way(&mut slow, Duration::from_secs(8));
    let (first, last) = (due[0], *due.last().unwrap());
    assert!(first == 30 && last > 40, "{due:?}");
}

#[test]
fn an_order_claimed_too_early_is_skipped_until_its_deadline() {
    let mut bench = Bench::new(RESERVE_FIRST, None);
    let placed = bench.now;
    bench.now += Duration::from_secs(8);
    bench.deliver(0, false);
    bench.deliver(0, false);
    assert_eq!(
        bench.saga.due_at,
        Some(placed + Duration::from_secs(30)),
        "the next step was sent at 8 s"
    );
    let said = bench.said.len();
    bench.wait();
    assert_eq!(bench.said.len(), said, "nothing is late yet");
    assert_eq!(bench.saga.due_at, Some(placed + Duration::from_secs(38)));
    bench.wait();
    assert!(bench.said.len() > said, "now it is");
}
