//! The key that exchanges route a message by.

use super::envelope::Message;
use super::payload::{NotificationMessage, Payload};

/// The routing key of a message: its name, or the channel of a notification.
pub fn routing_key(message: &Message) -> &str {
    match &message.payload {
        Payload::Notification(NotificationMessage::Send(send)) => &send.channel,
        payload => payload.kind().as_str(),
    }
}
