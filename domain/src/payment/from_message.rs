//! What a message asks of a payment.

use super::input::PaymentInput;
use crate::messages::{Message, Origin, Payload};

/// What a message asks of the payment, as a command or as an event that it reacts to. The queue that
/// brought it does not matter. `Err`: nothing, and why.
pub fn input(message: &Message) -> Result<PaymentInput, String> {
    let origin = || message.origin.slim();
    match &message.payload {
        Payload::PaymentProcess(intent) => Ok(PaymentInput::Process(origin(), intent.clone())),
        // What comes after the payment needs the order, too.
        Payload::OrderCreated(details) => {
            let origin = Origin { order: Some(details.clone()), ..message.origin.clone() };
            Ok(PaymentInput::Process(origin, details.payment()))
        }
        Payload::PaymentRefund | Payload::InventoryFailed(_) | Payload::InventoryReleased => {
            Ok(PaymentInput::Refund(origin()))
        }
        Payload::OrderConfirmed(_)
        | Payload::OrderShipped(_)
        | Payload::OrderCompleted(_)
        | Payload::OrderCancelled(_)
        | Payload::OrderCancelRequested(_)
        | Payload::OrderDispatchRequested
        | Payload::OrderDeliveryConfirmed
        | Payload::InventoryReserve(_)
        | Payload::InventoryRelease
        | Payload::InventoryCommit
        | Payload::InventoryReserved(_)
        | Payload::InventoryCommitted
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
            Err(format!("the payment service does not handle `{}`", message.kind()))
        }
    }
}
