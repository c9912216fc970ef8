//! Notify: customers learn of an event, once.

use super::change::{NotificationAnswer, StoredEntry};
use super::channel::Channel;
use super::entry::{Notification, NotificationId};
use super::entry_batch::EntryBatch;
use super::policy::NotificationPolicy;
use super::text::{CustomerNotice, notice};
use crate::clock::Timestamp;
use crate::messages::{ChannelMessage, Message, NotificationMessage, Payload};
use crate::planted::{Bug, planted};
use std::sync::Arc;

/// The entries that events make.
pub(super) fn ids(events: &[Arc<Message>]) -> impl Iterator<Item = NotificationId> {
    events.iter().filter_map(|event| {
        let CustomerNotice { topic, .. } = notice(event.order_id(), &event.payload)?;
        Some(NotificationId { order_id: event.order_id(), topic })
    })
}

/// Decides what is new: what customers do not care for, and what they were told already, is not.
pub(super) fn notify(
    batch: &mut EntryBatch,
    policy: NotificationPolicy,
    events: &[Arc<Message>],
    at: Timestamp,
) -> NotificationAnswer {
    let mut stored = Vec::new();
    for event in events {
        let order_id = event.order_id();
        let Some(notice) = notice(order_id, &event.payload) else { continue };
        let id = NotificationId { order_id, topic: notice.topic };
        let is_told = batch.is_read(&id).is_some() && !planted(Bug::TellTwice);
        // A later page makes the link of an earlier one useless: the entry stays, the link is sent again. Delivered
        // twice, it is one message under one id.
        if is_told && event.number == 0 {
            continue;
        }
        let channels = Channel::ALL.iter().copied();
        let channels =
            channels.filter(|channel| policy.takes(*channel) && channel.takes(notice.topic));
        batch
            .messages
            .extend(channels.filter_map(|channel| channel_message(channel, event, &notice, at)));
        if is_told {
            continue;
        }
        let CustomerNotice { customer_id, title, body, .. } = notice;
        stored.push(StoredEntry {
            id,
            title: title.to_owned(),
            request_id: event.origin.request_id.clone(),
        });
        let (customer_id, title) = (customer_id.to_owned(), title.to_owned());
        batch.inserts.insert(
            id,
            Notification { id, customer_id, title, body, is_read: false, created_at: at },
        );
    }
    NotificationAnswer::Notified(stored)
}

/// The same words through a channel, where the customer can be reached by it.
fn channel_message(
    channel: Channel,
    event: &Message,
    notice: &CustomerNotice<'_>,
    at: Timestamp,
) -> Option<Arc<Message>> {
    let message = ChannelMessage {
        channel: channel.as_str().to_owned(),
        to: channel.address(notice.contact?)?.to_owned(),
        subject: notice.title.to_owned(),
        body: channel.body(notice),
        page: notice.page.cloned(),
        priority: notice.priority,
    };
    let (number, origin) = (channel.number(notice.topic, event.number), event.origin.slim());
    Some(Message::new(
        &origin,
        Payload::Notification(NotificationMessage::Send(message)),
        number,
        at,
    ))
}
