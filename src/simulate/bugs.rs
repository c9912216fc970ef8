//! Every planted bug, run until a seed finds it: that the simulation would notice.

use super::pool::each;
use ordermill_actors::planted::Bug;
use ordermill_actors::sim::{Caught, hunt};
use std::collections::BTreeSet;
use std::ops::Range;

/// Looks for each bug, seed by seed; true when every one is found.
pub fn find_all(seeds: &Range<u64>) -> anyhow::Result<bool> {
    let hunts = each(0..Bug::ALL.len() as u64, |number| {
        let bug = Bug::ALL[number as usize];
        (bug, hunt(bug, seeds.clone()))
    })?;
    crate::say!("{:<20} {:<16} {:>6}  {:>5}  what is wrong", "bug", "caught by", "seed", "seeds");
    for (bug, caught) in &hunts {
        let (by, seed, needed) = match caught {
            Some(Caught { seed, found }) => {
                let rules: BTreeSet<_> = found.iter().map(|finding| finding.rule).collect();
                let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
                (rules.join(", "), seed.to_string(), (seed - seeds.start + 1).to_string())
            }
            None => ("NOT FOUND".to_owned(), "-".to_owned(), (seeds.end - seeds.start).to_string()),
        };
        crate::say!("{:<20} {by:<16} {seed:>6}  {needed:>5}  {}", bug.name(), bug.what());
    }
    let found = hunts.iter().filter(|(_, caught)| caught.is_some()).count();
    crate::say!("{found} of {} planted bugs are found.", hunts.len());
    Ok(found == hunts.len())
}
