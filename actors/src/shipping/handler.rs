//! What the queue `shipping.commands` brings.

use super::change::{Answer, Change, Command};
use super::service::Shipping;
use crate::messages::Body;
use crate::messages::Payload;
use crate::runtime::consumer::Handler;
use crate::runtime::journal::{JournalHandle, Verdict};
use crate::runtime::ticket::{Settled, Ticket};

/// Hands each command to the journal, whose batch decides it.
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
    fn handle(&self, body: Body, ticket: Ticket<()>) {
        let change = match change(&body) {
            Ok(change) => change,
            Err(cause) => return ticket.settle(Settled::Dead(cause)),
        };
        self.journal.submit(change, move |verdict| match verdict {
            Verdict::Done(Answer::Told) => ticket.settle(Settled::Done(())),
            Verdict::Done(Answer::Early(why)) => ticket.settle(Settled::Retry(why.to_owned())),
            // Decided on the locked row, it never is: were it, it would be decided again.
            Verdict::Refused => ticket.settle(Settled::Abandoned),
            Verdict::Failed(cause) => ticket.settle(Settled::Dead(cause)),
        });
    }
}

fn change(body: &Body) -> Result<Change, String> {
    let Body::One(message) = body else {
        return Err("a feed is no command to shipping".to_owned());
    };
    let command = match &message.payload {
        Payload::ShippingSchedule(wanted) => Command::Schedule(wanted.clone()),
        Payload::ShippingCancel => Command::Cancel,
        Payload::ShippingDispatch => Command::Dispatch,
        Payload::ShippingDeliver => Command::Deliver,
        other => return Err(format!("`{}` is no command to shipping", other.kind())),
    };
    Ok(Change { origin: message.origin.clone(), command })
}
