//! The two flows, side by side: the same customers, in every way that orders can go.

use super::invariants::{Finding, Rule};
use super::plan::{Plan, RunMode};
use super::run::{Outcome, run};
use ordermill_actors::testing::shop::WAYS;

/// Sends the customers of a seed through every way, each with faults of its own. Where orders do not
/// compete, every way must end the same; where they do, its invariants must hold. Gives back every run, and
/// what does not hold.
pub fn compare(seed: u64) -> (Vec<Outcome>, Vec<Finding>) {
    let mut found = Vec::new();
    let mut runs = Vec::new();
    for mode in [RunMode::Ample, RunMode::Drawn] {
        for way in WAYS {
            let outcome = run(Plan { way: Some(way), mode, ..Plan::of(seed) });
            for finding in &outcome.found {
                let what = format!("{way:?}: {}", finding.what);
                found.push(Finding::new(finding.rule, what));
            }
            runs.push((mode, way, outcome));
        }
    }
    let ample: Vec<_> = runs.iter().filter(|(mode, ..)| *mode == RunMode::Ample).collect();
    for pair in ample.windows(2) {
        let [(_, one, first), (_, other, second)] = pair else { continue };
        if first.orders != second.orders || first.stock != second.stock {
            let what = format!(
                "{one:?} ends with {:?}, {:?}; {other:?} ends with {:?}, {:?}",
                first.orders, first.stock, second.orders, second.stock
            );
            found.push(Finding::new(Rule::SameEnd, what));
        }
    }
    (runs.into_iter().map(|(.., outcome)| outcome).collect(), found)
}
