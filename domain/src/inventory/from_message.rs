//! Maps a message to a change of the inventory service.

use super::change::Change;
use super::reservation::Lines;
use crate::messages::{
    InventoryMessage, Message, Origin, Payload, PaymentMessage, ShippingMessage, StockLine,
};

/// The change that a message is for inventory, as a command or as an event that it reacts to. The queue that
/// brought it does not matter. `Err`: nothing, and why.
pub fn change(message: &Message) -> Result<Change, String> {
    let origin = || message.origin.slim();
    match &message.payload {
        Payload::Inventory(InventoryMessage::Reserve(lines)) => reserve(origin(), lines.clone()),
        // Shipping needs the order, too: it travels on.
        Payload::Payment(PaymentMessage::Approved(_)) => match &message.origin.order {
            Some(order) => reserve(message.origin.clone(), order.stock_lines()),
            None => Err("`payment.approved` contains no order lines".to_owned()),
        },
        Payload::Inventory(InventoryMessage::Release)
        | Payload::Shipping(ShippingMessage::Failed(_)) => Ok(Change::Release { origin: origin() }),
        Payload::Inventory(InventoryMessage::Commit)
        | Payload::Shipping(ShippingMessage::Dispatched) => Ok(Change::Commit { origin: origin() }),
        _ => Err(format!("the inventory service does not handle `{}`", message.kind())),
    }
}

fn reserve(origin: Origin, lines: Vec<StockLine>) -> Result<Change, String> {
    let lines = Lines::try_from(lines).map_err(|error| error.to_string())?;
    Ok(Change::Reserve { origin, lines })
}
