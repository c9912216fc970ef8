//! Work for all cores: numbers are handed out in their order, and each is worked on by whoever is free.

use anyhow::Context;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Progress is told at this interval: a single seed may take long.
const TOLD_EVERY: Duration = Duration::from_secs(2);

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
        }
    };
    let cores = std::thread::available_parallelism().context("the number of cores")?.get();
    std::thread::scope(|scope| {
        // Closed by the last worker, however it ends.
        let worker = &worker;
        let (working, ended) = mpsc::channel::<()>();
        for _ in 0..cores {
            let working = working.clone();
            scope.spawn(move || {
                let _working = working;
                worker();
            });
        }
        drop(working);
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(TOLD_EVERY) {
            let count = done.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).len() as u64;
            let all = numbers.end - numbers.start;
            ordermill::note!("{count} of {all}, {:.0} a minute", a_minute(count, begun));
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
