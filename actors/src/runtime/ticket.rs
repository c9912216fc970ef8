//! A ticket: the promise that whoever handed something in learns, exactly once, how it ended.
//!
//! A delivery's ticket acks it; an HTTP request's ticket answers it. A ticket that is dropped
//! (its actor died, its mailbox was thrown away) completes itself, so that nothing waits for ever.

use tokio::sync::oneshot;

/// How it ended.
#[derive(Debug)]
pub enum TicketOutcome<R> {
    /// Everything it caused is committed.
    Done(R),
    /// It failed in a way that may pass: try again later, counted.
    Retry(String),
    /// It can never succeed.
    Dead(String),
    /// Nobody decided it, and it is not its own fault: hand it in again, uncounted.
    Abandoned,
}

impl<R> TicketOutcome<R> {
    /// The same, with another result.
    pub fn map<T>(self, with: impl FnOnce(R) -> T) -> TicketOutcome<T> {
        match self {
            Self::Done(result) => TicketOutcome::Done(with(result)),
            Self::Retry(cause) => TicketOutcome::Retry(cause),
            Self::Dead(cause) => TicketOutcome::Dead(cause),
            Self::Abandoned => TicketOutcome::Abandoned,
        }
    }
}

type Listener<R> = Box<dyn FnOnce(TicketOutcome<R>) + Send>;

/// Completes once: when told to, or when dropped.
pub struct Ticket<R> {
    listener: Option<Listener<R>>,
    at_work: bool,
}

impl<R> Ticket<R> {
    /// A ticket that calls `listener` exactly once.
    pub fn new(listener: impl FnOnce(TicketOutcome<R>) + Send + 'static) -> Self {
        Self { listener: Some(Box::new(listener)), at_work: false }
    }

    /// A ticket that nobody waits for.
    pub fn unobserved() -> Self {
        Self { listener: None, at_work: false }
    }

    /// Marks the start of handling: a panic from here on is the fault of this submission.
    pub fn begin(&mut self) {
        self.at_work = true;
    }

    /// Completes it.
    pub fn complete(mut self, how: TicketOutcome<R>) {
        if let Some(listener) = self.listener.take() {
            listener(how);
        }
    }
}

impl<R: Send + 'static> Ticket<R> {
    /// A ticket and the receiver of its outcome.
    pub fn channel() -> (Self, oneshot::Receiver<TicketOutcome<R>>) {
        let (sender, receiver) = oneshot::channel();
        let ticket = Self::new(move |how| {
            // The asker may have gone away: what was asked is done all the same.
            let _ = sender.send(how);
        });
        (ticket, receiver)
    }
}

impl<R> Drop for Ticket<R> {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.take() {
            // Dropped by the panic that its own handling raised: that attempt counts. What waited in
            // the same mailbox is dropped by the same panic, and was never looked at.
            listener(if self.at_work && std::thread::panicking() {
                TicketOutcome::Retry("the message handler panicked".to_owned())
            } else {
                TicketOutcome::Abandoned
            });
        }
    }
}
