//! Maps a message to a change of the shipping service.

use super::change::{Change, Command};
use crate::messages::{InventoryMessage, Message, OrderMessage, Payload, ShippingMessage};

/// The change that a message is for shipping, as a command or as an event that it reacts to. The queue that
/// brought it does not matter. `Err`: nothing, and why.
pub fn change(message: &Message) -> Result<Change, String> {
    let command = match &message.payload {
        Payload::Shipping(ShippingMessage::Schedule(wanted)) => Command::Schedule(wanted.clone()),
        Payload::Inventory(InventoryMessage::Reserved(_)) => match &message.origin.order {
            Some(order) => Command::Schedule(order.parcel()),
            None => return Err("`inventory.reserved` contains no order lines".to_owned()),
        },
        Payload::Shipping(ShippingMessage::Cancel)
        | Payload::Order(OrderMessage::CancelRequested(_)) => Command::Cancel,
        Payload::Shipping(ShippingMessage::Dispatch)
        | Payload::Order(OrderMessage::DispatchRequested) => Command::Dispatch,
        Payload::Shipping(ShippingMessage::Deliver)
        | Payload::Order(OrderMessage::DeliveryConfirmed) => Command::Deliver,
        _ => {
            return Err(format!("the shipping service does not handle `{}`", message.kind()));
        }
    };
    // Nobody who hears of a parcel needs the order itself.
    Ok(Change { origin: message.origin.slim(), command })
}
