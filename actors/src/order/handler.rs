//! The handler of the order service's queues: each answer of a service goes to its saga.

use super::rules::{SagaInput, Sagas};
use crate::runtime::consumer::Handler;
use crate::runtime::ticket::Ticket;
use ordermill_domain::messages::Message;
use ordermill_domain::order::decide::DecideInput;
use std::sync::Arc;

/// Hands answers to sagas.
pub struct ReplyHandler(pub Sagas);

impl Handler for ReplyHandler {
    fn handle(&self, message: Arc<Message>, ticket: Ticket<()>) {
        let order = message.order_id();
        let ticket = Ticket::new(move |how| ticket.complete(how.map(|_reply| ())));
        self.0.ask(&order, SagaInput::Decide(DecideInput::Message(message)), ticket);
    }
}
