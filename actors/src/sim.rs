//! Seeded simulation: whole processes of the shop, in one thread, in a world that fails in every way.
//!
//! ```text
//!            ┌─ process 1 ─┐      ┌─ SimBroker: delays, doubles, reorders, loses, forgets confirms
//!  script ──▶│ all services│◀────▶├─ SimStore: slow, unavailable, contended, outcome unknown
//!            └─ process 2 ─┘      ├─ SimLine: the gateway answers late, twice, never
//!              killed, stopped,   └─ SimClock: jumps, differs between processes
//!              actors restarted
//! ```
//!
//! Everything that a process does to the world passes a `Life`: when the process is dead, the call
//! never returns and nothing happens; when it is stopped, the call waits. So a crash may come at any
//! await. One seed is one history: the same seed gives the same trace, which [`run()`] hashes.

mod books;
mod broker;
mod chance;
mod clock;
mod life;
mod line;
mod process;
mod run;
mod script;
mod store;
mod trace;

pub use run::{Outcome, Plan, run};

use chance::Chance;
use trace::Trace;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// How often things go wrong, each in a thousand.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// A commit finds the database away.
    pub unavailable: u64,
    /// A commit finds another process at the same rows.
    pub contended: u64,
    /// A commit's outcome is unknown; half of these are written.
    pub unknown: u64,
    /// A publish is lost before the broker has it.
    pub lost: u64,
    /// A publish arrives, but not its confirm: it is published again.
    pub unconfirmed: u64,
    /// The broker brings a message twice.
    pub doubled: u64,
    /// The broker loses a message that it had confirmed.
    pub forgotten: u64,
    /// A call to the gateway is lost on its way there.
    pub unasked: u64,
    /// The gateway's answer is lost.
    pub unanswered: u64,
    /// The gateway's answer comes after its timeout.
    pub late: u64,
}

impl Rates {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        unavailable: 0,
        contended: 0,
        unknown: 0,
        lost: 0,
        unconfirmed: 0,
        doubled: 0,
        forgotten: 0,
        unasked: 0,
        unanswered: 0,
        late: 0,
    };

    /// Each fault at a rate of its own, from never to often.
    fn drawn(chance: &Chance) -> Self {
        let rate = |most: u64| if chance.below(2) == 0 { 0 } else { chance.below(most + 1) };
        Self {
            unavailable: rate(100),
            contended: rate(100),
            unknown: rate(60),
            lost: rate(60),
            unconfirmed: rate(60),
            doubled: rate(100),
            forgotten: rate(20),
            unasked: rate(100),
            unanswered: rate(100),
            late: rate(60),
        }
    }
}

/// What all of a simulation share.
struct Sim {
    chance: Chance,
    trace: Trace,
    rates: Rates,
    calm: AtomicBool,
}

impl Sim {
    /// From now on nothing goes wrong any more.
    fn calm_down(&self) {
        self.calm.store(true, Relaxed);
    }

    /// True so many times in a thousand, until things have calmed down.
    fn fails(&self, rate: impl FnOnce(&Rates) -> u64) -> bool {
        let drawn = self.chance.below(1_000);
        !self.calm.load(Relaxed) && drawn < rate(&self.rates)
    }
}

type Shared = Arc<Sim>;
