//! Quarantine: an entity that keeps failing is left alone, so that it harms nobody but itself.
//!
//! ```text
//! fails ─▶ pause, doubled ─▶ fails ─▶ … more than RESTARTS_MAX in RESTART_WINDOW ─▶ quarantined
//!   ▲                                                                                   │
//!   └──────────── its next message starts it afresh from the store ◀── an operator ─────┘
//! ```
//!
//! Messages to it are refused meanwhile, which counts as an attempt: deliveries are tried again and
//! become dead letters, requests are answered. Quarantine is this process's: another process, and the
//! next start of this one, try for themselves.

use super::tree::Node;
use ordermill_domain::backoff::Backoff;
use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Failures in the window that an entity is forgiven. One message is tried four times: a bad one
/// becomes a dead letter before the entity that fails on it is given up, and its other messages with it.
pub const RESTARTS_MAX: usize = 5;

/// The pauses before an entity that failed is started again, doubled each time it fails in the window. The last
/// restart has the longest.
const RESTART: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(1_600));

/// The window in which failures count together: longer than the tries of one message take (36 s), so
/// that several bad messages count together; short enough that one an hour is no pattern.
pub const RESTART_WINDOW: Duration = Duration::from_secs(120);

/// Entities of a kind that are quarantined at a time, about 1 KiB each. Where more fail it is not them
/// that are at fault: the oldest is released, to fail again or not.
const QUARANTINED_MAX: usize = 1_000;

/// When an entity has failed.
#[derive(Clone, Debug, Default)]
pub(super) struct FailureWindow(Vec<Instant>);

impl FailureWindow {
    /// It has ended; that `counts`, or it was asked for. Gives the pause until it may start again, or
    /// None: it has failed too often.
    pub(super) fn another(&mut self, now: Instant, counts: bool) -> Option<Duration> {
        self.0.retain(|at| now.duration_since(*at) < RESTART_WINDOW);
        if !counts {
            return Some(RESTART.delay(0));
        }
        self.0.push(now);
        if self.0.len() > RESTARTS_MAX {
            return None;
        }
        Some(RESTART.delay(u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX)))
    }

    /// True when its failures need not be remembered any more.
    pub(super) fn are_over(&self, now: Instant) -> bool {
        self.0.last().is_none_or(|last| now.duration_since(*last) >= RESTART_WINDOW)
    }
}

/// An entity that is quarantined.
pub(super) struct QuarantinedEntity {
    /// Its node, as it was when it failed for the last time.
    pub(super) node: Arc<Node>,
    /// Why it failed.
    pub(super) cause: String,
}

impl QuarantinedEntity {
    /// The refusal that senders get.
    pub(super) fn refusal(&self) -> String {
        format!("{} is quarantined; an operator must release it: {}", self.node.name, self.cause)
    }
}

/// The quarantined entities, in the order of their quarantine: a bound on how many there are.
pub(super) struct QuarantineList<K>(Mutex<VecDeque<K>>);

impl<K> Default for QuarantineList<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash> QuarantineList<K> {
    /// One more; gives the one that must leave for it.
    pub(super) fn admit(&self, key: K) -> Option<K> {
        let mut keys = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        keys.push_back(key);
        if keys.len() > QUARANTINED_MAX { keys.pop_front() } else { None }
    }

    /// One less.
    pub(super) fn discharge(&self, key: &K) {
        let mut keys = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        keys.retain(|kept| kept != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_pause_longer_and_longer_and_then_are_too_many() {
        let (mut failures, begun) = (FailureWindow::default(), Instant::now());
        let pauses: Vec<_> = (0..5).filter_map(|_| failures.another(begun, true)).collect();
        assert_eq!(
            pauses.iter().map(Duration::as_millis).collect::<Vec<_>>(),
            [100, 200, 400, 800, 1600]
        );
        assert_eq!(
            failures.another(begun, false),
            Some(Duration::from_millis(100)),
            "asked for: it does not count"
        );
        assert_eq!(failures.another(begun, true), None);
        let mut seldom = FailureWindow::default();
        for round in 0..100 {
            let at = begun + Duration::from_secs(25) * round;
            assert!(seldom.another(at, true).is_some(), "once in a while is no pattern");
            assert!(!seldom.are_over(at) && seldom.are_over(at + RESTART_WINDOW));
        }
    }

    #[test]
    fn there_is_a_bound_on_how_many_are_kept() {
        let quarantine_list = QuarantineList::default();
        let pushed_out: Vec<_> =
            (0..=QUARANTINED_MAX).filter_map(|number| quarantine_list.admit(number)).collect();
        assert_eq!(pushed_out, [0]);
        quarantine_list.discharge(&5);
        assert_eq!(quarantine_list.admit(1_000_000), None);
    }
}
