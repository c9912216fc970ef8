//! The channels that reach a customer outside of the shop.

use super::text::CustomerNotice;
use super::topic::Topic;
use crate::messages::{Contact, Queue};
use strum::{IntoStaticStr, VariantArray};

/// A way to reach a customer outside of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Channel {
    /// By e-mail.
    Email,
    /// By text message.
    Sms,
}

impl Channel {
    /// Every channel.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Its name: what its messages are routed by.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The queue of its messages.
    pub const fn queue(self) -> Queue {
        match self {
            Self::Email => Queue::NotificationEmail,
            Self::Sms => Queue::NotificationSms,
        }
    }

    /// Where a customer is reached by it. None: not at all.
    pub(super) fn address(self, contact: &Contact) -> Option<&str> {
        match self {
            Self::Email => contact.email.as_deref(),
            Self::Sms => contact.phone.as_deref(),
        }
    }

    /// The number that tells an order's messages from each other, over all channels: by topic, and by the number of the
    /// event, of which there may be several of a topic. Never changes.
    pub(super) fn number(self, topic: Topic, event: u32) -> u32 {
        let topic = u32::from(topic.number());
        let first = match self {
            Self::Email => topic,
            Self::Sms => 100 + topic,
        };
        first.saturating_add(event.saturating_mul(200))
    }

    /// Whether a topic is told through it. The link of a page is long, and worth money: it goes by e-mail only.
    pub(super) const fn takes(self, topic: Topic) -> bool {
        match (self, topic) {
            (Self::Sms, Topic::PaymentRequired) => false,
            (Self::Email | Self::Sms, _) => true,
        }
    }

    /// The words as they are sent: a mail has a subject, a text message says it first.
    pub(super) fn body(self, notice: &CustomerNotice<'_>) -> String {
        match self {
            Self::Email => notice.body.clone(),
            Self::Sms => format!("{}. {}", notice.title, notice.body),
        }
    }
}
