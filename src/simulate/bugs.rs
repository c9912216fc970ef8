//! Every planted bug, run until a seed finds it: that the simulation would notice.

use super::pool::each;
use ordermill_actors::planted::Bug;
use ordermill_actors::sim::{Finding, Plan, run};
use std::collections::BTreeSet;
use std::ops::Range;

struct Hunt {
    bug: Bug,
    /// The first seed that finds it, and what it finds.
    caught: Option<(u64, Vec<Finding>)>,
}

/// Looks for each bug, seed by seed; true when every one is found.
pub fn find_all(seeds: &Range<u64>) -> anyhow::Result<bool> {
    let hunts = each(0..Bug::ALL.len() as u64, |number| {
        let bug = Bug::ALL[number as usize];
        let caught = seeds.clone().find_map(|seed| {
            let found = run(Plan { bug: Some(bug), ..Plan::of(seed) }).found;
            (!found.is_empty()).then_some((seed, found))
        });
        Hunt { bug, caught }
    })?;
    println!("{:<20} {:<16} {:>6}  {:>5}  what is wrong", "bug", "caught by", "seed", "seeds");
    for Hunt { bug, caught } in &hunts {
        let (by, seed, needed) = match caught {
            Some((seed, found)) => {
                let rules: BTreeSet<_> = found.iter().map(|finding| finding.rule).collect();
                let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
                (rules.join(", "), seed.to_string(), (seed - seeds.start + 1).to_string())
            }
            None => ("NOT FOUND".to_owned(), "-".to_owned(), (seeds.end - seeds.start).to_string()),
        };
        println!("{:<20} {by:<16} {seed:>6}  {needed:>5}  {}", bug.name(), bug.what());
    }
    let found = hunts.iter().filter(|hunt| hunt.caught.is_some()).count();
    println!("{found} of {} planted bugs are found.", hunts.len());
    Ok(found == hunts.len())
}
