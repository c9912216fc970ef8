//! Says on the standard error what a command waits for, so that it is never silent for long.
//!
//! For commands that people run (`demo`, `bench`, `dlq`, …). A server logs what it waits for instead.

use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// The first line comes after this long: most waits are shorter and need no line.
const FIRST_AFTER: Duration = Duration::from_secs(1);
/// The next lines come at this interval. Nobody should wonder for longer whether a command still works.
const THEN_EVERY: Duration = Duration::from_secs(2);

/// Does the work. While it takes long, says what it waits for and since when:
/// `ordermill: waiting for RabbitMQ: connection refused (5 s)`.
pub async fn report_waiting<T>(what: impl Fn() -> String, work: impl Future<Output = T>) -> T {
    let say = |line: &str| crate::note!("{line}");
    report_to(say, what, work).await
}

async fn report_to<T>(
    say: impl Fn(&str),
    what: impl Fn() -> String,
    work: impl Future<Output = T>,
) -> T {
    let began = Instant::now();
    let mut ticks = interval_at(began + FIRST_AFTER, THEN_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => {
                say(&format!("ordermill: waiting for {} ({} s)", what(), began.elapsed().as_secs()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::time::sleep;

    async fn said(work: impl Future<Output = ()>) -> Vec<String> {
        let said = Mutex::new(Vec::new());
        let say = |line: &str| said.lock().unwrap().push(line.to_owned());
        report_to(say, || "a server".to_owned(), work).await;
        said.into_inner().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_wait_needs_no_line() {
        assert!(said(sleep(Duration::from_millis(900))).await.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_is_told_every_two_seconds() {
        let lines = said(sleep(Duration::from_millis(5_500))).await;
        let expected = [1, 3, 5].map(|s| format!("ordermill: waiting for a server ({s} s)"));
        assert_eq!(lines, expected);
    }
}
