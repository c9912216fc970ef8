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
//! Everything that a process does to the world passes a `ProcessGate`: when the process is dead, the call
//! never returns and nothing happens; when it is stopped, the call waits. So a crash may come at any
//! await, and between any two things that a process does ([`Fault::DiesHere`]). One seed is one history:
//! the same seed gives the same trace, which [`run()`] hashes.
//!
//! While it runs and when all is at rest, the invariants must hold: [`Rule`]. That the simulation would
//! notice if they did not is shown by [planted bugs](ordermill_domain::planted).

mod broker;
mod bug_search;
mod chance;
mod clock;
mod fault;
mod faulty_gateway;
mod flows;
mod invariants;
mod panics;
mod plan;
mod process;
mod process_gate;
mod reads;
mod run;
mod script;
mod store;
mod trace;
mod world;

pub use bug_search::{FoundBug, search};
pub use fault::{Coverage, Fault, Rates};
pub use flows::compare;
pub use invariants::{Finding, Rule};
pub use plan::{Plan, RunMode};
pub use run::{End, Outcome, run};

use chance::Chance;
use ordermill_domain::messages::Message;
use process_gate::ProcessGate;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard};
use trace::Trace;
use uuid::Uuid;

/// What all of a simulation share.
struct Sim {
    /// What depends on a thing's own draw depends on this, too.
    seed: u64,
    chance: Chance,
    trace: Trace,
    rates: Rates,
    calm: AtomicBool,
    coverage: Mutex<Coverage>,
}

impl Sim {
    /// A simulation that begins.
    fn new(seed: u64, chance: Chance, rates: Rates, trace: Trace) -> Self {
        let (calm, coverage) = (AtomicBool::new(false), Mutex::default());
        Self { seed, chance, trace, rates, calm, coverage }
    }

    /// From now on nothing goes wrong any more.
    fn stop_faults(&self) {
        self.calm.store(true, Relaxed);
    }

    /// True so many times in a thousand as this fault's rate says, until things have calmed down.
    fn fails(&self, fault: Fault) -> bool {
        let drawn = self.chance.below(1_000);
        let fails = !self.calm.load(Relaxed) && drawn < self.rates.of(fault);
        if fails {
            self.happened(fault);
        }
        fails
    }

    /// True of so many things in a thousand as this fault's rate says: of each always, or never.
    fn is_drawn(&self, fault: Fault, of: Uuid) -> bool {
        let (high, low) = of.as_u64_pair();
        let is_drawn = Chance::new(self.seed ^ high ^ low).below(1_000) < self.rates.of(fault);
        if is_drawn {
            self.happened(fault);
        }
        is_drawn
    }

    /// Here a process may die.
    fn may_die(&self, gate: &ProcessGate) {
        if !gate.is_dead() && self.fails(Fault::DiesHere) {
            self.trace.say(format_args!("process {} killed here", gate.number));
            gate.kill();
        }
    }

    fn happened(&self, fault: Fault) {
        *self.coverage().faults.entry(fault).or_default() += 1;
    }

    /// A service has acknowledged this.
    fn handled(&self, service: &'static str, message: &Message) {
        let kind = message.kind().as_str();
        *self.coverage().handled.entry((service, kind)).or_default() += 1;
    }

    fn coverage(&self) -> MutexGuard<'_, Coverage> {
        self.coverage.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

type Shared = Arc<Sim>;
