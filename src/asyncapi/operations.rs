//! Operations: what each service publishes and consumes.

use super::channels::{self, Channel};
use super::parts::{BINDING_VERSION, reference};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::schema::BUNDLE;
use ordermill_domain::messages::{
    Kind, Queue, RETRY_DELAYS, RPC_PAYMENT, RPC_PAYMENT_REQUESTS, retry_exchange,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What is done at a channel.
#[derive(Clone, Copy)]
enum Action {
    Send,
    Receive,
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}

/// Every operation, by service.
pub fn all(channels: &[Channel]) -> Map<String, Value> {
    let mut operations = Map::new();
    for service in ServiceName::ALL {
        let mut put = |action, channel: &Channel, messages: &BTreeSet<&str>| {
            let (id, operation) = operation(*service, action, channel, messages);
            operations.insert(id, operation);
        };
        for channel in channels {
            match role(*service, channel) {
                Some(Action::Receive) => put(Action::Receive, channel, &channel.messages),
                Some(Action::Send) => put(Action::Send, channel, &channel.messages),
                None => {
                    let own = published(*service, channel);
                    if !own.is_empty() {
                        put(Action::Send, channel, &own);
                    }
                }
            }
        }
    }
    for address in [RPC_PAYMENT, RPC_PAYMENT_REQUESTS] {
        let Some(channel) = find(channels, &channels::by_queue(address)) else { continue };
        // Each process asks that does not run the payment service itself.
        for (service, action) in
            [(ServiceName::Payment, Action::Receive), (ServiceName::Order, Action::Send)]
        {
            let (id, mut asked) = operation(service, action, channel, &channel.messages);
            if matches!(action, Action::Send) {
                // Nothing keeps a question: who gets no answer asks again.
                asked["bindings"]["amqp"] = json!({
                    "deliveryMode": 1, "mandatory": false, "bindingVersion": BINDING_VERSION,
                });
            }
            asked["reply"] = json!({
                "address": {"location": "$message.header#/reply_to"},
                "channel": reference(&format!("channels/{}", channels::replies(address))),
            });
            operations.insert(id, asked);
        }
    }
    operations
}

fn find<'a>(channels: &'a [Channel], id: &str) -> Option<&'a Channel> {
    channels.iter().find(|channel| channel.id == id)
}

/// What a service does at a channel with all messages there: it consumes its queues and their dead letters, and
/// has what it fails on rest.
fn role(service: ServiceName, channel: &Channel) -> Option<Action> {
    let rests = RETRY_DELAYS.into_iter().any(|delay| retry_exchange(service, delay) == channel.id);
    let own = Queue::ALL.iter().filter(|queue| queue.service() == service);
    let mut names = own.flat_map(|queue| [queue.as_str().to_owned(), queue.dlq()]);
    if names.any(|name| channels::by_queue(&name) == channel.id) {
        Some(Action::Receive)
    } else {
        rests.then_some(Action::Send)
    }
}

/// The messages that a service publishes to an exchange.
fn published(service: ServiceName, channel: &Channel) -> BTreeSet<&'static str> {
    if !channel.is_published_to_first {
        return BTreeSet::new();
    }
    let own =
        |kind: &&Kind| channel.messages.contains(kind.as_str()) && publisher(**kind) == service;
    let mut own: BTreeSet<_> = Kind::ALL.iter().filter(own).map(|kind| kind.as_str()).collect();
    if !own.is_empty() && channel.messages.contains(BUNDLE) {
        own.insert(BUNDLE);
    }
    own
}

/// The service that publishes a message.
fn publisher(kind: Kind) -> ServiceName {
    match (kind.is_event(), kind.service()) {
        (true, service) | (false, service @ ServiceName::Notification) => service,
        // The saga's commands.
        (false, _) => ServiceName::Order,
    }
}

fn operation(
    service: ServiceName,
    action: Action,
    channel: &Channel,
    messages: &BTreeSet<&str>,
) -> (String, Value) {
    let word = action.as_str();
    let amqp = match action {
        Action::Send => json!({
            "deliveryMode": 2, "mandatory": true, "bindingVersion": BINDING_VERSION,
        }),
        Action::Receive => json!({"ack": true, "bindingVersion": BINDING_VERSION}),
    };
    let at = format!("channels/{}", channel.id);
    let operation = json!({
        "action": word,
        "channel": reference(&at),
        "tags": [{"name": service}],
        "messages": messages.iter().map(|name| reference(&format!("{at}/messages/{name}"))).collect::<Value>(),
        "bindings": {"amqp": amqp},
    });
    (format!("{service}.{word}.{}", channel.id), operation)
}
