//! Maps a message to the input of a payment.

use super::input::PaymentInput;
use crate::messages::{InventoryMessage, Message, OrderMessage, Origin, Payload, PaymentMessage};

/// The input that a message is for the payment, as a command or as an event that it reacts to. The queue that
/// brought it does not matter. `Err`: nothing, and why.
pub fn input(message: &Message) -> Result<PaymentInput, String> {
    let origin = || message.origin.slim();
    match &message.payload {
        Payload::Payment(PaymentMessage::Process(intent)) => {
            Ok(PaymentInput::Process(origin(), intent.clone()))
        }
        // The services after the payment need the order, too.
        Payload::Order(OrderMessage::Created(details)) => {
            let origin = Origin { order: Some(details.clone()), ..message.origin.clone() };
            Ok(PaymentInput::Process(origin, details.payment(message.occurred_at)))
        }
        Payload::Payment(PaymentMessage::Refund)
        | Payload::Inventory(InventoryMessage::Failed(_) | InventoryMessage::Released) => {
            Ok(PaymentInput::Undo(origin()))
        }
        _ => Err(format!("the payment service does not handle `{}`", message.kind())),
    }
}
