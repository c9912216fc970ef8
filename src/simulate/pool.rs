//! Work for all cores: numbers are handed out in their order, and each is worked on by whoever is free.

use anyhow::Context;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// How often progress is told, in seeds.
const TOLD_EVERY: u64 = 1_000;

/// Does something with each number, on all cores; what comes of it, in the order of the numbers.
pub fn each<T: Send>(
    numbers: Range<u64>,
    work: impl Fn(u64) -> T + Sync,
) -> anyhow::Result<Vec<T>> {
    let begun = Instant::now();
    let next = AtomicU64::new(numbers.start);
    let done: Mutex<Vec<(u64, T)>> = Mutex::default();
    let worker = || {
        loop {
            let number = next.fetch_add(1, Relaxed);
            if number >= numbers.end {
                return;
            }
            let came = work(number);
            let mut done = done.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            done.push((number, came));
            let count = done.len() as u64;
            if count.is_multiple_of(TOLD_EVERY) {
                crate::note!("{count} seeds, {:.0} a minute", a_minute(count, begun));
            }
        }
    };
    let cores = std::thread::available_parallelism().context("the number of cores")?.get();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(worker);
        }
    });
    let mut done = done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, came)| came).collect())
}

/// How many there are in a minute, at the pace since `begun`.
pub fn a_minute(count: u64, begun: Instant) -> f64 {
    count as f64 * 60.0 / begun.elapsed().as_secs_f64().max(0.001)
}
