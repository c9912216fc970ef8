//! What a message asks of inventory.

use super::change::Change;
use super::reservation::Lines;
use crate::messages::{Message, Origin, Payload, StockLine};

/// What a message asks of inventory, as a command or as an event that it reacts to. The queue that
/// brought it does not matter. `Err`: nothing, and why.
pub fn change(message: &Message) -> Result<Change, String> {
    let origin = || message.origin.slim();
    match &message.payload {
        Payload::InventoryReserve(lines) => reserve(origin(), lines.clone()),
        // Shipping needs the order, too: it travels on.
        Payload::PaymentApproved(_) => match &message.origin.order {
            Some(order) => reserve(message.origin.clone(), order.stock_lines()),
            None => Err("`payment.approved` contains no order lines".to_owned()),
        },
        Payload::InventoryRelease | Payload::ShippingFailed(_) => {
            Ok(Change::Release { origin: origin() })
        }
        Payload::InventoryCommit | Payload::ShippingDispatched => {
            Ok(Change::Commit { origin: origin() })
        }
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
        | Payload::PaymentFailed(_)
        | Payload::PaymentReversed
        | Payload::ShippingSchedule(_)
        | Payload::ShippingCancel
        | Payload::ShippingDispatch
        | Payload::ShippingDeliver
        | Payload::ShippingScheduled(_)
        | Payload::ShippingDelivered
        | Payload::NotificationSend(_) => {
            Err(format!("the inventory service does not handle `{}`", message.kind()))
        }
    }
}

fn reserve(origin: Origin, lines: Vec<StockLine>) -> Result<Change, String> {
    let lines = Lines::try_from(lines).map_err(|error| error.to_string())?;
    Ok(Change::Reserve { origin, lines })
}
