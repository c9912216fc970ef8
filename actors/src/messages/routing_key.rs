//! The key that exchanges route a message by.

use super::envelope::Message;
use super::payload::Payload;

/// What an exchange routes a message by: its name, or the channel that it is for.
pub fn routing_key(message: &Message) -> &str {
    match &message.payload {
        Payload::NotificationSend(send) => &send.channel,
        payload => payload.kind().as_str(),
    }
}
