//! What the queue `payment.commands` brings.

use super::decide::Input;
use super::entity::Payments;
use crate::messages::Body;
use crate::messages::Payload;
use crate::runtime::consumer::Handler;
use crate::runtime::ticket::{Settled, Ticket};

/// Hands each command to its order's payment.
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
    fn handle(&self, body: Body, ticket: Ticket<()>) {
        let [message] = body.messages() else {
            return ticket.settle(Settled::Dead("expected one command".to_owned()));
        };
        let origin = message.origin.clone();
        let input = match &message.payload {
            Payload::PaymentProcess(intent) => Input::Process(origin, intent.clone()),
            Payload::PaymentRefund => Input::Refund(origin),
            other => {
                let cause = format!("`{}` is no command to payment", other.kind());
                return ticket.settle(Settled::Dead(cause));
            }
        };
        self.payments.ask(&message.order_id(), input, ticket);
    }
}
