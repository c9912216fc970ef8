//! Asking: a request of the API waits until what it asks is committed, but no longer than anybody waits
//! for an answer.
//!
//! ```text
//! request ─▶ hand in ─▶ decided, committed ─▶ answer
//!               ▲  └ nobody decided it ┐ └ not within ASK_TIMEOUT ─▶ it may still be done
//!               └──────── ASK_AGAIN ───┘
//! ```

use super::journal::Verdict;
use super::ticket::{Settled, Ticket};
use std::time::Duration;

/// A request waits this long for its commit. What was asked may still come to be done.
pub const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// What is said of a service that did not answer within [`ASK_TIMEOUT`].
pub const LATE: &str = "does not answer in time; what was asked may still be done";

/// Pause before a request is handed in again that nobody decided.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Hands a request in until somebody decides it: how it ended, never [`Settled::Abandoned`]. None: nobody
/// knows yet.
pub async fn ask<R: Send + 'static>(hand_in: impl Fn(Ticket<R>)) -> Option<Settled<R>> {
    let asking = async {
        loop {
            let (ticket, receiver) = Ticket::channel();
            hand_in(ticket);
            match receiver.await {
                Ok(Settled::Abandoned) | Err(_) => tokio::time::sleep(ASK_AGAIN).await,
                Ok(settled @ (Settled::Done(_) | Settled::Retry(_) | Settled::Dead(_))) => {
                    return settled;
                }
            }
        }
    };
    in_time(asking).await
}

/// Waits as long as a request may. None: it took longer.
pub async fn in_time<F: Future>(what: F) -> Option<F::Output> {
    tokio::time::timeout(ASK_TIMEOUT, what).await.ok()
}

impl<A> From<Verdict<A>> for Settled<A> {
    fn from(verdict: Verdict<A>) -> Self {
        match verdict {
            Verdict::Done(answer) => Self::Done(answer),
            Verdict::Refused => Self::Abandoned,
            Verdict::Failed(cause) => Self::Dead(cause),
        }
    }
}
