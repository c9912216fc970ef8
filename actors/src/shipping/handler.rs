//! What shipping's queues bring: the saga's commands, and the events that it reacts to by itself.

use super::change::{Change, Command, ShippingAnswer};
use super::service::Shipping;
use crate::messages::{Message, Payload};
use crate::runtime::consumer::Handler;
use crate::runtime::journal::{CommitOutcome, JournalHandle};
use crate::runtime::ticket::{Ticket, TicketOutcome};
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

/// What a message asks of shipping, as a command or as an event that it reacts to. The queue that
/// brought it does not matter. `Err`: nothing, and why.
pub fn change(message: &Message) -> Result<Change, String> {
    let command = match &message.payload {
        Payload::ShippingSchedule(wanted) => Command::Schedule(wanted.clone()),
        Payload::InventoryReserved(_) => match &message.origin.order {
            Some(order) => Command::Schedule(order.parcel()),
            None => return Err("`inventory.reserved` contains no order lines".to_owned()),
        },
        Payload::ShippingCancel | Payload::OrderCancelRequested(_) => Command::Cancel,
        Payload::ShippingDispatch | Payload::OrderDispatchRequested => Command::Dispatch,
        Payload::ShippingDeliver | Payload::OrderDeliveryConfirmed => Command::Deliver,
        Payload::OrderCreated(_)
        | Payload::OrderConfirmed(_)
        | Payload::OrderShipped(_)
        | Payload::OrderCompleted(_)
        | Payload::OrderCancelled(_)
        | Payload::InventoryReserve(_)
        | Payload::InventoryRelease
        | Payload::InventoryCommit
        | Payload::InventoryFailed(_)
        | Payload::InventoryReleased
        | Payload::InventoryCommitted
        | Payload::PaymentProcess(_)
        | Payload::PaymentRefund
        | Payload::PaymentApproved(_)
        | Payload::PaymentFailed(_)
        | Payload::PaymentReversed
        | Payload::ShippingScheduled(_)
        | Payload::ShippingFailed(_)
        | Payload::ShippingDispatched
        | Payload::ShippingDelivered
        | Payload::NotificationSend(_) => {
            return Err(format!("the shipping service does not handle `{}`", message.kind()));
        }
    };
    // Nobody who hears of a parcel needs the order itself.
    Ok(Change { origin: message.origin.slim(), command })
}
