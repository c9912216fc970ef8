//! The hunt for a planted bug: seeds, until one finds it.

use super::invariants::Finding;
use super::plan::Plan;
use super::run::run;
use ordermill_domain::planted::Bug;
use std::ops::Range;
use std::time::Duration;

/// How long orders may take to come to rest in a hunt: enough in nearly every seed for a system without the
/// bug, and for a look at late money half an hour after a payment's end. What never comes to rest is waited for only
/// so long.
const PATIENCE: Duration = Duration::from_secs(50 * 60);

/// A bug that was found.
#[derive(Clone, Debug)]
pub struct FoundBug {
    /// The seed that found it.
    pub seed: u64,
    /// What it found.
    pub found: Vec<Finding>,
}

/// Looks for a bug, seed by seed. Only a seed that finds nothing without the bug counts.
pub fn search(bug: Bug, mut seeds: Range<u64>) -> Option<FoundBug> {
    seeds.find_map(|seed| {
        let with = Plan { bug: Some(bug), patience: PATIENCE, ..Plan::of(seed) };
        let found = run(with).found;
        let is_its_doing = !found.is_empty() && run(Plan { bug: None, ..with }).found.is_empty();
        is_its_doing.then_some(FoundBug { seed, found })
    })
}
