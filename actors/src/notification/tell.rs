//! Tell: customers learn of an event, once.

use super::change::{Answer, Stored};
use super::channel::Channel;
use super::entry::{Notification, NotificationId};
use super::service::NotificationPolicy;
use super::settle::Desk;
use super::text::{Telling, telling};
use crate::clock::Timestamp;
use crate::messages::{ChannelMessage, Message, Payload};
use crate::planted::{Bug, planted};
use std::sync::Arc;

/// The entries that events make.
pub(super) fn ids(events: &[Arc<Message>]) -> impl Iterator<Item = NotificationId> {
    events.iter().filter_map(|event| {
        let Telling { topic, .. } = telling(event.order_id(), &event.payload)?;
        Some(NotificationId { order_id: event.order_id(), topic })
    })
}

/// Decides what is new: what customers do not care for, and what they were told already, is not.
pub(super) fn tell(
    desk: &mut Desk,
    policy: NotificationPolicy,
    events: &[Arc<Message>],
    at: Timestamp,
) -> Answer {
    let mut stored = Vec::new();
    for event in events {
        let order_id = event.order_id();
        let Some(telling) = telling(order_id, &event.payload) else { continue };
        let id = NotificationId { order_id, topic: telling.topic };
        if desk.is_read(&id).is_some() && !planted(Bug::TellTwice) {
            continue;
        }
        let channels = Channel::ALL.into_iter().filter(|channel| policy.takes(*channel));
        desk.messages.extend(channels.filter_map(|channel| say(channel, event, &telling, at)));
        let Telling { customer_id, title, body, .. } = telling;
        stored.push(Stored {
            id,
            title: title.to_owned(),
            request_id: event.origin.request_id.clone(),
        });
        let (customer_id, title) = (customer_id.to_owned(), title.to_owned());
        desk.inserts.insert(
            id,
            Notification { id, customer_id, title, body, is_read: false, created_at: at },
        );
    }
    Answer::Told(stored)
}

/// The same words through a channel, where the customer can be reached by it.
fn say(
    channel: Channel,
    event: &Message,
    telling: &Telling<'_>,
    at: Timestamp,
) -> Option<Arc<Message>> {
    let message = ChannelMessage {
        channel: channel.as_str().to_owned(),
        to: channel.address(telling.contact)?.to_owned(),
        subject: telling.title.to_owned(),
        body: channel.body(telling),
        priority: telling.priority,
    };
    let (number, origin) = (channel.number(telling.topic), event.origin.slim());
    Some(Message::new(&origin, Payload::NotificationSend(message), number, at))
}
