//! `ordermill-lab sim`: runs seeds of the simulation on all cores, and says what does not hold.
//!
//! ```text
//! sim             seeds, and the first that fails          → seeds
//! sim --bug NAME  the same, with a mistake in the system   → seeds
//! sim --bugs      every mistake, until it is found         → bugs
//! sim --flows     the same orders in every way             → flows
//! ```

mod bugs;
mod flows;
mod pool;
mod seeds;

use ordermill_domain::planted::Bug;
use std::ops::Range;

/// What is to be simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimOptions {
    /// The seeds.
    pub seeds: Range<u64>,
    /// What is done with them.
    pub mode: SimMode,
}

/// What is done with the seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimMode {
    /// Each is run.
    Seeds {
        /// Each is run twice, and both histories must be the same.
        twice: bool,
        /// Every seed's history is printed.
        told: bool,
        /// What went wrong and what was handled is printed.
        coverage: bool,
        /// A mistake in the system.
        bug: Option<Bug>,
    },
    /// Each planted mistake is looked for, until a seed finds it.
    Bugs,
    /// The same orders in every way.
    Flows,
}

/// Runs the seeds; true when all is well.
pub fn simulate(options: &SimOptions) -> anyhow::Result<bool> {
    let SimOptions { seeds, mode } = options;
    match *mode {
        SimMode::Seeds { bug: Some(_), .. } | SimMode::Bugs if !Bug::THERE => {
            anyhow::bail!(
                "this build has no planted bugs; run: cargo run --release -p ordermill-lab --features planted -- sim --bugs"
            )
        }
        SimMode::Seeds { twice, told, coverage, bug } => {
            seeds::run_all(seeds, seeds::Wanted { twice, told, coverage, bug })
        }
        SimMode::Bugs => bugs::find_all(seeds),
        SimMode::Flows => flows::compare_all(seeds),
    }
}
