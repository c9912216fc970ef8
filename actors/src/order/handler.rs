//! What the order service's queues bring: what the services say, each to its saga.

use super::rules::{Input, Sagas};
use crate::messages::Body;
use crate::runtime::consumer::Handler;
use crate::runtime::ticket::{Settled, Ticket};

/// Hands answers to sagas.
pub struct ReplyHandler(pub Sagas);

impl Handler for ReplyHandler {
    fn handle(&self, body: Body, ticket: Ticket<()>) {
        match body {
            Body::One(message) => {
                let order = message.order_id();
                let ticket = Ticket::new(move |how| ticket.settle(how.map(|_reply| ())));
                self.0.ask(&order, Input::Message(message), ticket);
            }
            Body::Feed(_) => ticket.settle(Settled::Dead("a feed is no answer".to_owned())),
        }
    }
}
