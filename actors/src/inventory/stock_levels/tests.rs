use super::*;
use ordermill_domain::ids::ProductId;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::Duration;

fn row(available: i64, version: u64) -> Arc<StockRow> {
    let product_id = ProductId::from("SKU");
    Arc::new(StockRow { product_id, on_hand: available + 3, reserved: 3, version })
}

#[derive(Clone, Debug)]
enum Step {
    Ask {
        units: i64,
        patience: u64,
    },
    /// The oldest hold ends; what it held is reserved, or not.
    Decide {
        reserved: bool,
    },
    /// The stock is set from outside.
    Set {
        available: i64,
    },
    Pass {
        seconds: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..6_i64, 0..5_u64).prop_map(|(units, patience)| Step::Ask { units, patience }),
        3 => any::<bool>().prop_map(|reserved| Step::Decide { reserved }),
        1 => (0..12_i64).prop_map(|available| Step::Set { available }),
        1 => (0..3_u64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// Stock levels, and a model of them that an observer keeps.
struct Observer {
    levels: StockLevels<usize>,
    available: i64,
    version: u64,
    holds: VecDeque<i64>,
    waiting: VecDeque<(usize, i64)>,
    asked: Vec<i64>,
}

impl Observer {
    fn hear(&mut self, replies: Vec<(usize, HoldReply)>, queued: bool) {
        for (asker, reply) in replies {
            let units = self.asked[asker];
            let held: i64 = self.holds.iter().sum();
            match reply {
                HoldReply::Held => {
                    assert!(held + units <= self.available, "held more than there is");
                    assert!(queued || self.waiting.is_empty(), "overtaken");
                    self.holds.push_back(units);
                }
                HoldReply::Short => assert!(units > self.available, "refused without need"),
                HoldReply::Undecided => {}
            }
            if reply != HoldReply::Undecided && queued {
                assert_eq!(self.waiting.front().map(|first| first.0), Some(asker), "overtaken");
            }
            self.waiting.retain(|waiter| waiter.0 != asker);
        }
    }

    fn learn(&mut self, available: i64) {
        (self.available, self.version) = (available, self.version + 1);
        let replies = self.levels.learn(row(available, self.version));
        self.hear(replies, true);
    }
}

proptest! {
    #[test]
    fn holds_fit_refusals_are_just_and_nobody_is_overtaken_or_forgotten(
        start in 0..12_i64,
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let levels = StockLevels::new(Some(row(start, 1)));
        let mut now = Instant::now();
        let mut world = Observer {
            levels, available: start, version: 1,
            holds: VecDeque::new(), waiting: VecDeque::new(), asked: Vec::new(),
        };
        for step in steps {
            match step {
                Step::Ask { units, patience } => {
                    let asker = world.asked.len();
                    world.asked.push(units);
                    let deadline = now + Duration::from_secs(patience);
                    match world.levels.ask(units, deadline, now, asker) {
                        Some(reply) => world.hear(vec![reply], false),
                        None => world.waiting.push_back((asker, units)),
                    }
                }
                Step::Decide { reserved } => {
                    if let Some(units) = world.holds.pop_front() {
                        if reserved {
                            world.learn((world.available - units).max(0));
                        }
                        let replies = world.levels.ended(units);
                        world.hear(replies, true);
                    }
                }
                Step::Set { available } => world.learn(available),
                Step::Pass { seconds } => {
                    now += Duration::from_secs(seconds);
                    let replies = world.levels.overdue(now);
                    world.hear(replies, true);
                }
            }
            prop_assert_eq!(world.levels.next_deadline().is_none(), world.waiting.is_empty());
            prop_assert!(world.waiting.is_empty() || !world.holds.is_empty(), "waits for nobody");
            if let Some((_, units)) = world.waiting.front() {
                let free = world.available - world.holds.iter().sum::<i64>();
                prop_assert!(free < *units && *units <= world.available, "waits without need");
            }
        }
        while let Some(units) = world.holds.pop_front() {
            let replies = world.levels.ended(units);
            world.hear(replies, true);
        }
        prop_assert!(world.waiting.is_empty());
        prop_assert!(world.levels.is_idle());
    }
}

#[test]
fn an_older_row_says_nothing() {
    let mut levels: StockLevels<()> = StockLevels::new(Some(row(5, 7)));
    levels.learn(row(100, 6));
    let (now, later) = (Instant::now(), Instant::now() + Duration::from_secs(1));
    assert_eq!(levels.ask(6, later, now, ()), Some(((), HoldReply::Short)));
}

#[test]
fn the_waiters_are_bounded() {
    let mut levels: StockLevels<usize> = StockLevels::new(Some(row(1, 1)));
    let (now, later) = (Instant::now(), Instant::now() + Duration::from_secs(1));
    assert_eq!(levels.ask(1, later, now, 0), Some((0, HoldReply::Held)));
    for waiter in 1..=WAITERS_MAX {
        assert_eq!(levels.ask(1, later, now, waiter), None);
    }
    assert_eq!(levels.ask(1, later, now, 0), Some((0, HoldReply::Undecided)));
    assert_eq!(levels.overdue(later).len(), WAITERS_MAX);
}

#[test]
fn an_unknown_product_gives_no_answer() {
    let mut levels: StockLevels<()> = StockLevels::new(None);
    let (now, later) = (Instant::now(), Instant::now() + Duration::from_secs(1));
    assert_eq!(levels.ask(1, later, now, ()), Some(((), HoldReply::Undecided)));
    levels.learn(row(1, 1));
    assert_eq!(levels.ask(1, later, now, ()), Some(((), HoldReply::Held)));
}
