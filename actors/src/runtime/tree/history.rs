//! The history of an actor, for views of actors: its last messages, and why it failed.
//! Bounded, and nothing is allocated before there is something to remember.

use ordermill_domain::clock::Timestamp;
use serde::Serialize;
use std::collections::VecDeque;
use std::time::Duration;

/// Messages remembered of an entity: what a hundred thousand of them cost is 14 MB in all.
const LAST_OF_ENTITY: usize = 4;

/// Messages remembered of a part.
const LAST_OF_PART: usize = 16;

/// Failures remembered: more than it takes to be quarantined or to take the supervisor along.
const FAILURES_MAX: usize = 10;

/// An error is kept to this length: enough to recognise it in a list.
const CAUSE_CHARS_MAX: usize = 500;

/// The outcome of handling a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HandlingOutcome {
    /// It is being handled.
    UnderWay,
    /// It was handled.
    Handled,
    /// The actor failed on it.
    Failed,
}

/// A message that an actor was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ReceivedMessage {
    message: &'static str,
    /// Microseconds after the actor's start.
    at_us: u64,
    took_us: u32,
    how: HandlingOutcome,
}

/// The same, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastMessage {
    /// Its name.
    pub message: &'static str,
    /// When it was taken out of the mailbox.
    pub at: Timestamp,
    /// How long handling it took, in microseconds.
    pub took_us: u32,
    /// The outcome.
    pub how: HandlingOutcome,
}

/// A failure, or another end that was followed by a start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub cause: String,
}

/// The history of a node.
#[derive(Debug, Default)]
pub(super) struct ActorHistory {
    received: VecDeque<ReceivedMessage>,
    failures: VecDeque<Failure>,
}

impl ActorHistory {
    /// A message is being handled from now on.
    pub(super) fn begin(&mut self, message: &'static str, at: Duration, is_entity: bool) {
        let kept = if is_entity { LAST_OF_ENTITY } else { LAST_OF_PART };
        while self.received.len() >= kept {
            self.received.pop_front();
        }
        if self.received.capacity() == 0 {
            self.received.reserve_exact(kept);
        }
        let at_us = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        self.received.push_back(ReceivedMessage {
            message,
            at_us,
            took_us: 0,
            how: HandlingOutcome::UnderWay,
        });
    }

    /// Ends the last message, unless it has ended.
    pub(super) fn end(&mut self, at: Duration, how: HandlingOutcome) {
        if let Some(last) = self.received.back_mut()
            && last.how == HandlingOutcome::UnderWay
        {
            let at_us = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
            last.took_us = u32::try_from(at_us.saturating_sub(last.at_us)).unwrap_or(u32::MAX);
            last.how = how;
        }
    }

    /// It failed; gives the cause as it is kept.
    pub(super) fn failed(&mut self, at: Timestamp, cause: &str) -> String {
        let cause: String = cause.chars().take(CAUSE_CHARS_MAX).collect();
        while self.failures.len() >= FAILURES_MAX {
            self.failures.pop_front();
        }
        self.failures.push_back(Failure { at, cause: cause.clone() });
        cause
    }

    /// Why it failed, the last time.
    pub(super) fn last_error(&self) -> Option<&str> {
        self.failures.back().map(|failure| failure.cause.as_str())
    }

    /// The failures, oldest first.
    pub(super) fn failures(&self) -> Vec<Failure> {
        self.failures.iter().cloned().collect()
    }

    /// The last messages, oldest first.
    pub(super) fn last_messages(&self, started_at: Timestamp) -> Vec<LastMessage> {
        let shown = |received: &ReceivedMessage| LastMessage {
            message: received.message,
            at: started_at + Duration::from_micros(received.at_us),
            took_us: received.took_us,
            how: received.how,
        };
        self.received.iter().map(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_are_remembered_and_one_is_32_bytes() {
        assert!(size_of::<ReceivedMessage>() <= 32);
        let mut history = ActorHistory::default();
        for number in 0..100_u64 {
            history.begin("reply", Duration::from_micros(number * 10), true);
            history.end(Duration::from_micros(number * 10 + 3), HandlingOutcome::Handled);
        }
        history.begin("cancel", Duration::from_micros(2_000), true);
        history.end(Duration::from_micros(2_500), HandlingOutcome::Failed);
        history.end(Duration::from_micros(9_000), HandlingOutcome::Handled);
        let last = history.last_messages(Timestamp::UNIX_EPOCH);
        assert_eq!((last.len(), history.received.capacity()), (4, 4));
        assert_eq!((last[3].message, last[3].took_us), ("cancel", 500));
        assert_eq!(last[3].how, HandlingOutcome::Failed, "a failure stays one");
        assert_eq!((last[0].took_us, last[0].how), (3, HandlingOutcome::Handled));
        for number in 0..100 {
            history.failed(Timestamp::UNIX_EPOCH, &format!("{number}{}", "x".repeat(1_000)));
        }
        assert_eq!(history.failures().len(), FAILURES_MAX);
        assert!(history.last_error().is_some_and(|error| error.len() == CAUSE_CHARS_MAX));
    }
}
