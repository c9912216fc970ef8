//! Every planted bug, run until a seed finds it: that the simulation would notice.

use super::pool::each;
use crate::sim::{FoundBug, search};
use ordermill_domain::planted::Bug;
use std::collections::BTreeSet;
use std::ops::Range;

/// Looks for each bug, seed by seed; true when every one is found.
pub fn find_all(seeds: &Range<u64>) -> anyhow::Result<bool> {
    let searches = each(0..Bug::ALL.len() as u64, |number| {
        let bug = Bug::ALL[number as usize];
        (bug, search(bug, seeds.clone()))
    })?;
    ordermill::say!("{:<20} {:<16} {:>6}  {:>5}  description", "bug", "caught by", "seed", "seeds");
    for (bug, found_bug) in &searches {
        let (by, seed, needed) = match found_bug {
            Some(FoundBug { seed, found }) => {
                let rules: BTreeSet<_> = found.iter().map(|finding| finding.rule).collect();
                let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
                (rules.join(", "), seed.to_string(), (seed - seeds.start + 1).to_string())
            }
            None => ("NOT FOUND".to_owned(), "-".to_owned(), (seeds.end - seeds.start).to_string()),
        };
        ordermill::say!("{:<20} {by:<16} {seed:>6}  {needed:>5}  {}", bug.name(), bug.what());
    }
    let found = searches.iter().filter(|(_, found_bug)| found_bug.is_some()).count();
    ordermill::say!("{found} of {} planted bugs found.", searches.len());
    Ok(found == searches.len())
}
