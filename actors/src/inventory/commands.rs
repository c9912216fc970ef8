//! The saga's commands, as the queue brings them.

use super::request::settle;
use super::sku::Skus;
use super::{Change, Lines};
use crate::messages::Body;
use crate::messages::{Message, Payload};
use crate::runtime::consumer::Handler;
use crate::runtime::ticket::{Settled, Ticket};

/// Handles what `inventory.commands` brings.
pub struct CommandHandler {
    skus: Skus,
}

impl CommandHandler {
    /// A handler that reserves through these SKU actors.
    pub fn new(skus: Skus) -> Self {
        Self { skus }
    }

    fn command(&self, message: &Message, ticket: Ticket<()>) {
        let origin = message.origin.clone();
        match &message.payload {
            Payload::InventoryReserve(lines) => match Lines::try_from(lines.clone()) {
                Ok(lines) => self.skus.reserve(origin, lines, ticket),
                Err(error) => ticket.settle(Settled::Dead(error.to_string())),
            },
            Payload::InventoryRelease => self.submit(Change::Release { origin }, ticket),
            Payload::InventoryCommit => self.submit(Change::Commit { origin }, ticket),
            Payload::OrderCreated(_)
            | Payload::OrderConfirmed(_)
            | Payload::OrderShipped(_)
            | Payload::OrderCompleted(_)
            | Payload::OrderCancelled(_)
            | Payload::OrderCancelRequested(_)
            | Payload::OrderDispatchRequested
            | Payload::OrderDeliveryConfirmed
            | Payload::InventoryReserved(_)
            | Payload::InventoryFailed(_)
            | Payload::InventoryReleased
            | Payload::InventoryCommitted
            | Payload::PaymentProcess(_)
            | Payload::PaymentRefund
            | Payload::PaymentApproved(_)
            | Payload::PaymentFailed(_)
            | Payload::PaymentReversed
            | Payload::ShippingSchedule(_)
            | Payload::ShippingCancel
            | Payload::ShippingDispatch
            | Payload::ShippingDeliver
            | Payload::ShippingScheduled(_)
            | Payload::ShippingFailed(_)
            | Payload::ShippingDispatched
            | Payload::ShippingDelivered
            | Payload::NotificationSend(_) => {
                let cause = format!("inventory has no use for `{}`", message.kind());
                ticket.settle(Settled::Dead(cause));
            }
        }
    }

    fn submit(&self, change: Change, ticket: Ticket<()>) {
        let skus = self.skus.clone();
        let journal = self.skus.species().journal();
        journal.submit(change, move |verdict| settle(&skus, verdict, ticket));
    }
}

impl Handler for CommandHandler {
    fn handle(&self, body: Body, ticket: Ticket<()>) {
        match body {
            Body::One(message) => self.command(&message, ticket),
            Body::Feed(_) => {
                ticket.settle(Settled::Dead("inventory takes no feeds".to_owned()));
            }
        }
    }
}
