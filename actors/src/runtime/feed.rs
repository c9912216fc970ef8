//! The handler of services that only record events: events of one delivery are one change, so that a
//! row of the publisher's outbox is one commit here.
//!
//! If they cannot be written together they are tried one by one: the good events are committed, and only the bad ones
//! become dead letters.

use super::consumer::Handler;
use super::journal::{CommitOutcome, JournalHandle};
use super::ticket::{Ticket, TicketOutcome};
use ordermill_domain::messages::Message;
use ordermill_domain::service::Service;
use std::sync::Arc;

/// How a service takes events.
pub trait FeedService: Service {
    /// The change that takes these events.
    fn take(events: Vec<Arc<Message>>) -> Self::Change;

    /// They are taken: a place for what needs no promise (a log line).
    fn taken(answer: Self::Answer) {
        drop(answer);
    }
}

/// Hands events to a journal.
pub struct FeedHandler<S: Service>(JournalHandle<S>);

impl<S: FeedService> FeedHandler<S> {
    /// A handler that writes to a journal.
    pub const fn new(journal: JournalHandle<S>) -> Self {
        Self(journal)
    }
}

impl<S: FeedService> Handler for FeedHandler<S> {
    fn handle(&self, message: Arc<Message>, ticket: Ticket<()>) {
        take(&self.0, vec![message], vec![ticket]);
    }

    fn at_once(&self) -> bool {
        true
    }

    fn handle_all(&self, messages: Vec<(Arc<Message>, Ticket<()>)>) {
        let (events, tickets) = messages.into_iter().unzip();
        take(&self.0, events, tickets);
    }
}

/// Commits events together, or each by itself where that cannot be.
fn take<S: FeedService>(
    journal: &JournalHandle<S>,
    events: Vec<Arc<Message>>,
    tickets: Vec<Ticket<()>>,
) {
    let again = journal.clone();
    journal.submit(S::take(events.clone()), move |outcome| match outcome {
        CommitOutcome::Done(answer) => {
            S::taken(answer);
            tickets.into_iter().for_each(|ticket| ticket.complete(TicketOutcome::Done(())));
        }
        CommitOutcome::Refused => {
            tickets.into_iter().for_each(|ticket| ticket.complete(TicketOutcome::Abandoned));
        }
        CommitOutcome::Failed(cause) if events.len() <= 1 => {
            tickets
                .into_iter()
                .for_each(|ticket| ticket.complete(TicketOutcome::Dead(cause.clone())));
        }
        CommitOutcome::Failed(_) => {
            for (event, ticket) in events.into_iter().zip(tickets) {
                take(&again, vec![event], vec![ticket]);
            }
        }
    });
}

#[cfg(test)]
pub(crate) mod tests;
