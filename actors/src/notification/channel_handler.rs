//! Hands the messages of a channel's queue to the channel's provider.
//!
//! ```text
//! notification.channels ──email──▶ notification.email ──▶ ChannelHandler ──▶ the mail server
//!                       ──sms────▶ notification.sms ────▶ ChannelHandler ──▶ the provider
//! ```

use crate::metrics::ChannelMetrics;
use crate::ports::{ChannelError, Messenger};
use crate::runtime::consumer::Handler;
use crate::runtime::ticket::{Ticket, TicketOutcome};
use ordermill_domain::messages::{Message, NotificationMessage, Payload};
use ordermill_domain::notification::Channel;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A provider that has not taken a message by then is tried again later.
const SEND_MAX: Duration = Duration::from_secs(60);

/// The messenger of each channel; a channel without one is off.
#[derive(Clone, Default)]
pub struct Messengers {
    /// E-mails.
    pub email: Option<Arc<dyn Messenger>>,
    /// Text messages.
    pub sms: Option<Arc<dyn Messenger>>,
}

impl Messengers {
    /// The messenger of a channel.
    pub fn of(&self, channel: Channel) -> Option<&Arc<dyn Messenger>> {
        match channel {
            Channel::Email => self.email.as_ref(),
            Channel::Sms => self.sms.as_ref(),
        }
    }
}

/// Hands a channel's messages to its provider. As many are under way as the queue's prefetch lets
/// through.
///
/// At least once: a process that dies between the provider's answer and the ack sends again.
pub struct ChannelHandler {
    messenger: Arc<dyn Messenger>,
    channel: Channel,
    metrics: ChannelMetrics,
}

impl ChannelHandler {
    /// A handler that sends a channel's messages through its messenger.
    pub fn new(channel: Channel, messenger: Arc<dyn Messenger>, metrics: ChannelMetrics) -> Self {
        Self { messenger, channel, metrics }
    }
}

impl Handler for ChannelHandler {
    fn handle(&self, message: Arc<Message>, mut ticket: Ticket<()>) {
        let (messenger, channel) = (self.messenger.clone(), self.channel.as_str());
        let metrics = self.metrics.clone();
        // A messenger that panics over a message has tried it.
        ticket.begin();
        tokio::spawn(async move {
            let begun = Instant::now();
            let settled = send(&*messenger, &message).await;
            let outcome = match &settled {
                TicketOutcome::Done(()) => "sent",
                TicketOutcome::Dead(_) => "rejected",
                TicketOutcome::Retry(_) | TicketOutcome::Abandoned => "failed",
            };
            metrics.tried(channel, outcome, begun.elapsed());
            ticket.complete(settled);
        });
    }
}

async fn send(messenger: &dyn Messenger, message: &Message) -> TicketOutcome<()> {
    let Payload::Notification(NotificationMessage::Send(words)) = &message.payload else {
        return TicketOutcome::Dead(format!("`{}` is not a notification", message.kind()));
    };
    match tokio::time::timeout(SEND_MAX, messenger.send(words)).await {
        Ok(Ok(())) => TicketOutcome::Done(()),
        Ok(Err(ChannelError::Transient(cause))) => TicketOutcome::Retry(cause),
        Ok(Err(ChannelError::Permanent(cause))) => TicketOutcome::Dead(cause),
        Err(_) => TicketOutcome::Retry(format!("{}: the provider does not respond", words.channel)),
    }
}
