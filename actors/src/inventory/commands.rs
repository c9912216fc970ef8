//! The handler of inventory's queues: the saga's commands, and the events that inventory reacts to by itself.

use super::request::complete_ticket;
use super::sku::Skus;
use crate::runtime::consumer::Handler;
use crate::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_domain::inventory::{Change, change};
use ordermill_domain::messages::Message;
use std::sync::Arc;

/// Handles what inventory's queues bring.
pub struct CommandHandler {
    skus: Skus,
}

impl CommandHandler {
    /// A handler that reserves through these SKU actors.
    pub fn new(skus: Skus) -> Self {
        Self { skus }
    }

    fn submit(&self, change: Change, ticket: Ticket<()>) {
        let skus = self.skus.clone();
        let journal = self.skus.kind().journal();
        journal.submit(change, move |outcome| complete_ticket(&skus, outcome, ticket));
    }
}

impl Handler for CommandHandler {
    fn handle(&self, message: Arc<Message>, ticket: Ticket<()>) {
        match change(&message) {
            Ok(Change::Reserve { origin, lines }) => self.skus.reserve(origin, lines, ticket),
            Ok(change) => self.submit(change, ticket),
            Err(cause) => ticket.complete(TicketOutcome::Dead(cause)),
        }
    }
}
