//! What a message asks of shipping.

use super::change::{Change, Command};
use crate::messages::{Message, Payload};

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
