//! Asking: a request of the API waits until what it asks is committed, but no longer than anybody waits
//! for an answer.
//!
//! ```text
//! request ─▶ hand in ─▶ decided, committed ─▶ answer
//!               ▲  └ nobody decided it ┐ └ not within ASK_TIMEOUT ─▶ it may still be done
//!               └──────── ASK_AGAIN ───┘
//! ```

use super::journal::CommitOutcome;
use super::ticket::{Ticket, TicketOutcome};
use std::time::Duration;
use thiserror::Error;

/// A request waits this long for its commit. What was asked may still come to be done.
pub const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// The error text for a service that did not answer within [`ASK_TIMEOUT`].
pub const LATE: &str = "does not respond in time; the request may still take effect";

/// Pause before a request is handed in again that nobody decided.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Why a request was not done.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RequestError {
    /// The database refuses it, and will refuse it again. Nothing was written.
    #[error("the database rejects it permanently: {0}")]
    Impossible(String),
    /// It failed for now. Nothing was written.
    #[error("the request failed: {0}")]
    Failed(String),
    /// It was not decided within [`ASK_TIMEOUT`]. It may still be done.
    #[error("the request timed out")]
    Late,
}

/// Hands a request in until it is decided, for at most [`ASK_TIMEOUT`].
pub async fn ask<R: Send + 'static>(hand_in: impl Fn(Ticket<R>)) -> Result<R, RequestError> {
    let asking = async {
        loop {
            let (ticket, receiver) = Ticket::channel();
            hand_in(ticket);
            match receiver.await {
                Ok(TicketOutcome::Abandoned) | Err(_) => tokio::time::sleep(ASK_AGAIN).await,
                Ok(TicketOutcome::Done(answer)) => return Ok(answer),
                Ok(TicketOutcome::Retry(cause)) => return Err(RequestError::Failed(cause)),
                Ok(TicketOutcome::Dead(cause)) => return Err(RequestError::Impossible(cause)),
            }
        }
    };
    in_time(asking).await.unwrap_or(Err(RequestError::Late))
}

/// Waits as long as a request may. None: it took longer.
pub async fn in_time<F: Future>(what: F) -> Option<F::Output> {
    tokio::time::timeout(ASK_TIMEOUT, what).await.ok()
}

impl<A> From<CommitOutcome<A>> for TicketOutcome<A> {
    fn from(outcome: CommitOutcome<A>) -> Self {
        match outcome {
            CommitOutcome::Done(answer) => Self::Done(answer),
            CommitOutcome::Refused => Self::Abandoned,
            CommitOutcome::Failed(cause) => Self::Dead(cause),
        }
    }
}
