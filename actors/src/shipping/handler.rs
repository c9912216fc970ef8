//! The handler of shipping's queues: the saga's commands, and the events that shipping reacts to by itself.

use crate::runtime::consumer::Handler;
use crate::runtime::journal::{CommitOutcome, JournalHandle};
use crate::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_domain::messages::Message;
use ordermill_domain::shipping::{Shipping, ShippingAnswer, change};
use std::sync::Arc;

/// Hands what each message asks to the journal, whose batch decides it.
pub struct CommandHandler {
    journal: JournalHandle<Shipping>,
}

impl CommandHandler {
    /// A handler that writes to a journal.
    pub fn new(journal: JournalHandle<Shipping>) -> Self {
        Self { journal }
    }
}

impl Handler for CommandHandler {
    fn handle(&self, message: Arc<Message>, ticket: Ticket<()>) {
        let change = match change(&message) {
            Ok(change) => change,
            Err(cause) => return ticket.complete(TicketOutcome::Dead(cause)),
        };
        self.journal.submit(change, move |outcome| match outcome {
            CommitOutcome::Done(ShippingAnswer::OutcomePublished) => {
                ticket.complete(TicketOutcome::Done(()))
            }
            CommitOutcome::Done(ShippingAnswer::Early(why)) => {
                ticket.complete(TicketOutcome::Retry(why.to_owned()))
            }
            // Decided on the locked row, it never is: were it, it would be decided again.
            CommitOutcome::Refused => ticket.complete(TicketOutcome::Abandoned),
            CommitOutcome::Failed(cause) => ticket.complete(TicketOutcome::Dead(cause)),
        });
    }
}
