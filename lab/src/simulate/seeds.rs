//! Seeds, one after the other: which of them fail, and what was covered by them.

use super::pool::{a_minute, each};
use crate::sim::{Coverage, Fault, Finding, Plan, Rule, run};
use ordermill_domain::planted::Bug;
use std::ops::Range;
use std::time::Instant;

/// What is wanted of the seeds.
#[derive(Clone, Copy)]
pub struct Wanted {
    pub twice: bool,
    pub told: bool,
    pub coverage: bool,
    pub bug: Option<Bug>,
}

/// What is kept of a run: thousands of them are in memory until all are done.
struct Ran {
    seed: u64,
    orders: usize,
    events: u64,
    coverage: Coverage,
    found: Vec<Finding>,
}

/// Runs the seeds; true when every one of them ended well.
pub fn run_all(seeds: &Range<u64>, wanted: Wanted) -> anyhow::Result<bool> {
    let begun = Instant::now();
    let ran = each(seeds.clone(), |seed| one(seed, wanted))?;
    let mut covered = Coverage::default();
    ran.iter().for_each(|one| covered.add(&one.coverage));
    ordermill::say!(
        "{} seeds, {} orders, {} faults, {} events in {:.1} s: {:.0} seeds a minute",
        ran.len(),
        ran.iter().map(|one| one.orders).sum::<usize>(),
        covered.faults.values().sum::<u64>(),
        ran.iter().map(|one| one.events).sum::<u64>(),
        begun.elapsed().as_secs_f64(),
        a_minute(ran.len() as u64, begun)
    );
    if wanted.coverage {
        print_coverage(&covered);
    }
    let failed: Vec<&Ran> = ran.iter().filter(|one| !one.found.is_empty()).collect();
    match failed.first() {
        None if wanted.twice => {
            ordermill::say!(
                "All orders ended as expected, and both runs of each seed were identical."
            )
        }
        None => ordermill::say!("All orders ended as expected."),
        Some(Ran { seed, found, .. }) => {
            let all: Vec<String> = failed.iter().map(|one| one.seed.to_string()).collect();
            ordermill::say!(
                "{} seeds failed ({}); the first is {seed}:",
                failed.len(),
                shortened(&all)
            );
            found.iter().for_each(|finding| ordermill::say!("  {finding}"));
            let bug = wanted.bug.map(|bug| format!(" --bug {bug}")).unwrap_or_default();
            ordermill::say!("To see its history: ordermill-lab sim --seed {seed} --told{bug}");
        }
    }
    Ok(failed.is_empty())
}

fn one(seed: u64, Wanted { twice, told, bug, coverage: _ }: Wanted) -> Ran {
    let plan = Plan { kept: told, bug, ..Plan::of(seed) };
    let mut outcome = run(plan);
    outcome.lines.iter().for_each(|line| ordermill::say!("{line}"));
    if twice && run(Plan { kept: false, ..plan }).hash != outcome.hash {
        let what = "two runs of the same seed had different histories";
        outcome.found.push(Finding::new(Rule::Same, what));
    }
    Ran {
        seed,
        orders: outcome.orders.len(),
        events: outcome.events,
        coverage: outcome.coverage,
        found: outcome.found,
    }
}

/// The first few, in one line.
fn shortened(seeds: &[String]) -> String {
    const FEW: usize = 20;
    let more = if seeds.len() > FEW { ", …" } else { "" };
    format!("{}{more}", seeds[..seeds.len().min(FEW)].join(", "))
}

fn print_coverage(covered: &Coverage) {
    ordermill::say!("\nInjected faults:");
    for fault in Fault::ALL {
        let count = covered.faults.get(fault).copied().unwrap_or(0);
        ordermill::say!("{count:>10}  {fault}");
    }
    ordermill::say!("\nHandled messages:");
    for ((service, message), count) in &covered.handled {
        ordermill::say!("{count:>10}  {service:<13} {message}");
    }
    ordermill::say!("");
}
