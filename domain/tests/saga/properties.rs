//! Whatever comes in whatever order, however often: the order ends at rest, wholly done or wholly undone.

use crate::bench::{Bench, CHOREOGRAPHED, PAYMENT_FIRST, RESERVE_FIRST, WAYS, Way};
use ordermill_domain::order::Step;
use ordermill_domain::order::decide::DecideInput;
use proptest::prelude::*;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Event {
    /// Any message of the bag arrives, once more to come when true.
    Arrives(prop::sample::Index, bool),
    /// Any message of the bag is lost.
    Lost(prop::sample::Index),
    Cancel,
    Dispatch,
    Deliver,
    /// Time passes until the saga is due.
    Wait,
    /// The system falls behind by so many seconds, or catches up.
    Lag(u64),
    Retry,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => (any::<prop::sample::Index>(), prop::bool::weighted(0.3))
            .prop_map(|(index, twice)| Event::Arrives(index, twice)),
        1 => any::<prop::sample::Index>().prop_map(Event::Lost),
        1 => Just(Event::Cancel),
        2 => Just(Event::Dispatch),
        2 => Just(Event::Deliver),
        2 => Just(Event::Wait),
        1 => prop_oneof![Just(0), 1..1_000_u64, Just(86_400)].prop_map(Event::Lag),
        1 => Just(Event::Retry),
    ]
}

fn refusal() -> impl Strategy<Value = Option<Step>> {
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(Step::Inventory)),
        1 => Just(Some(Step::Payment)),
        1 => Just(Some(Step::Shipping)),
    ]
}

/// How often an order may be due before it must rest: expiry, alarm, and some re-sends each.
const WAITS_MAX: usize = 40;

/// A history, and then time enough: whatever it was, the order rests.
fn ends_at_rest(way: Way, refuse: Option<Step>, events: Vec<Event>) {
    let mut bench = Bench::new(way, refuse);
    for event in events {
        match event {
            Event::Arrives(index, twice) if !bench.bag.is_empty() => {
                bench.deliver(index.index(bench.bag.len()), twice);
            }
            Event::Lost(index) if !bench.bag.is_empty() => {
                bench.bag.remove(index.index(bench.bag.len()));
            }
            Event::Arrives(..) | Event::Lost(_) => {}
            Event::Cancel => {
                bench.tell(DecideInput::Cancel);
            }
            Event::Dispatch => {
                bench.tell(DecideInput::Dispatch);
            }
            Event::Deliver => {
                bench.tell(DecideInput::Deliver);
            }
            Event::Wait => bench.wait(),
            Event::Lag(seconds) => bench.lag = Duration::from_secs(seconds),
            Event::Retry => {
                bench.tell(DecideInput::Retry);
            }
        }
        bench.assert_history();
    }
    for _ in 0..WAITS_MAX {
        bench.run();
        bench.wait();
    }
    bench.run();
    assert!(bench.rests(), "not at rest: {:?}", bench.saga);
    bench.assert_sound();
}

fn history() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_order_of_anything_ends_at_rest(
        way in prop::sample::select(vec![RESERVE_FIRST, PAYMENT_FIRST]),
        refuse in refusal(),
        events in history(),
    ) {
        ends_at_rest(way, refuse, events);
    }

    #[test]
    fn any_order_of_anything_ends_at_rest_choreographed(
        refuse in refusal(),
        events in history(),
    ) {
        ends_at_rest(CHOREOGRAPHED, refuse, events);
    }

    #[test]
    fn a_cancelled_order_is_never_dispatched(
        way in prop::sample::select(WAYS.to_vec()),
        before in 0_usize..12,
        duplicates in prop::collection::vec(any::<bool>(), 40),
    ) {
        let mut bench = Bench::new(way, None);
        for _ in 0..before {
            if !bench.bag.is_empty() {
                bench.deliver(0, false);
            }
        }
        prop_assert!(bench.tell(DecideInput::Cancel));
        for twice in duplicates {
            if !bench.bag.is_empty() {
                bench.deliver(0, twice);
            }
            prop_assert!(!bench.tell(DecideInput::Dispatch), "dispatched after cancel");
        }
        bench.run();
        bench.assert_sound();
        prop_assert_eq!(bench.saga.status().as_str(), "CANCELLED");
    }
}
