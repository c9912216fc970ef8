//! Wires the notification service: its rules, its store, and what runs.

use super::{ChannelHandler, Messengers, Notifications};
use crate::ports::Database;
use crate::runtime::feed::FeedHandler;
use crate::runtime::service_builder::Process;
use crate::runtime::supervisor::ChildSpec;
use ordermill_domain::messages::Queue;
use ordermill_domain::notification::{Channel, NotificationPolicy, NotificationService};
use std::sync::Arc;

/// The notification service; a channel's messages go out when there is somebody to send them.
pub fn wire(
    process: &mut Process,
    store: Arc<dyn Database<NotificationService>>,
    messengers: Messengers,
) -> (Notifications, ChildSpec) {
    let Messengers { email, sms } = &messengers;
    let policy = NotificationPolicy { email: email.is_some(), sms: sms.is_some() };
    let mut builder =
        process.service("notification", Arc::new(NotificationService { policy }), store);
    let journal = builder.journal.clone();
    builder.consume(Queue::NotificationOrders, Arc::new(FeedHandler::new(journal.clone())));
    for &channel in Channel::ALL {
        if let Some(messenger) = messengers.of(channel) {
            let metrics = builder.metrics().channel.clone();
            let handler = ChannelHandler::new(channel, messenger.clone(), metrics);
            builder.consume(channel.queue(), Arc::new(handler));
        }
    }
    (Notifications::new(journal), builder.finish())
}
