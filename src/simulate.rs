//! `ordermill sim`: runs seeds of the simulation, and says which one fails first.

use anyhow::Context;
use ordermill_actors::sim::{Outcome, Plan, run};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// How often progress is told, in seeds.
const TOLD_EVERY: u64 = 1_000;

/// What is to be simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimOptions {
    /// The seeds.
    pub seeds: Range<u64>,
    /// Each seed is run twice, and both histories must be the same.
    pub twice: bool,
    /// Print every seed's history.
    pub told: bool,
}

/// Runs the seeds on all cores; true when every one of them ended well.
pub fn simulate(options: &SimOptions) -> anyhow::Result<bool> {
    let SimOptions { seeds, twice, told } = options;
    let begun = Instant::now();
    let next = AtomicU64::new(seeds.start);
    let failed: Mutex<Vec<Outcome>> = Mutex::default();
    let (orders, events) = (AtomicU64::new(0), AtomicU64::new(0));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Relaxed);
            if seed >= seeds.end {
                return;
            }
            let outcome = one(seed, *twice, *told);
            orders.fetch_add(outcome.orders as u64, Relaxed);
            events.fetch_add(outcome.events, Relaxed);
            if !outcome.wrong.is_empty() {
                failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(outcome);
            }
            let done = seed + 1 - seeds.start;
            if done.is_multiple_of(TOLD_EVERY) {
                eprintln!("{done} seeds, {:.0} a minute", a_minute(done, begun));
            }
        }
    };
    let cores = std::thread::available_parallelism().context("the number of cores")?.get();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let mut failed = failed.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    failed.sort_by_key(|outcome| outcome.seed);
    let count = seeds.end - seeds.start;
    println!(
        "{count} seeds, {} orders, {} events in {:.1} s: {:.0} seeds a minute",
        orders.into_inner(),
        events.into_inner(),
        begun.elapsed().as_secs_f64(),
        a_minute(count, begun)
    );
    match failed.first() {
        None => println!("Every order ended as it should."),
        Some(first) => {
            println!("{} seeds failed; the first is {}:", failed.len(), first.seed);
            first.wrong.iter().for_each(|wrong| println!("  {wrong}"));
            println!("Its history: ordermill sim --seed {} --told", first.seed);
        }
    }
    Ok(failed.is_empty())
}

fn one(seed: u64, twice: bool, told: bool) -> Outcome {
    let mut outcome = run(Plan { seed, kept: told });
    outcome.lines.iter().for_each(|line| println!("{line}"));
    if twice {
        let again = run(Plan { seed, kept: false });
        if again.hash != outcome.hash {
            outcome.wrong.push("the same seed was another history the second time".to_owned());
        }
    }
    outcome
}

fn a_minute(seeds: u64, begun: Instant) -> f64 {
    seeds as f64 * 60.0 / begun.elapsed().as_secs_f64().max(0.001)
}
