//! The handler of payment's queues: the saga's commands, and the events that payment reacts to by itself.

use super::entity::Payments;
use crate::runtime::consumer::Handler;
use crate::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_domain::messages::Message;
use ordermill_domain::payment::{PaymentReply, input};
use std::sync::Arc;

/// Hands each message to its order's payment.
pub struct CommandHandler {
    payments: Payments,
}

impl CommandHandler {
    /// A handler that finds payments in a directory.
    pub fn new(payments: Payments) -> Self {
        Self { payments }
    }
}

impl Handler for CommandHandler {
    fn handle(&self, message: Arc<Message>, ticket: Ticket<()>) {
        match input(&message) {
            Ok(input) => {
                let decided = Ticket::new(|outcome: TicketOutcome<PaymentReply>| {
                    ticket.complete(outcome.map(drop));
                });
                self.payments.ask(&message.order_id(), input, decided);
            }
            Err(cause) => ticket.complete(TicketOutcome::Dead(cause)),
        }
    }
}
