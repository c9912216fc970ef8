//! Which channels are on.

use super::channel::Channel;

/// Through which channels customers are told, beside the entries that they read in the shop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotificationPolicy {
    /// By e-mail, where the order has an address.
    pub email: bool,
    /// By text message, where the order has a number.
    pub sms: bool,
}

impl NotificationPolicy {
    /// Whether a channel is on.
    pub const fn takes(self, channel: Channel) -> bool {
        match channel {
            Channel::Email => self.email,
            Channel::Sms => self.sms,
        }
    }
}
