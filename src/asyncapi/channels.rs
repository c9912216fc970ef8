//! Channels: one for each routing key of each exchange, and one for each queue.

use super::messages;
use super::parts::{BINDING_VERSION, reference};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::schema::{BUNDLE, example};
use ordermill_domain::messages::{
    BINDINGS, Exchange, ExchangeKind, Kind, Queue, RETRY_DELAYS, RPC_PAYMENT, RPC_PAYMENT_REQUESTS,
    bundles, feeds, retry_exchange,
};
use ordermill_rabbitmq::{BindingPlan, ExchangePlan, QueuePlan};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A channel.
pub struct Channel {
    /// Its name in the document.
    pub id: String,
    /// The names of the messages on it.
    pub messages: BTreeSet<&'static str>,
    /// True of an exchange that services publish to; the others take what failed or cannot be routed.
    pub is_published_to_first: bool,
    /// The rest of it.
    about: Value,
}

impl Channel {
    /// As it stands in the document.
    pub fn into_json(self) -> Value {
        let Self { messages, mut about, .. } = self;
        let component =
            |name: &'static str| (name, reference(&format!("components/messages/{name}")));
        about["messages"] = json!(messages.into_iter().map(component).collect::<BTreeMap<_, _>>());
        about
    }
}

/// Every channel.
pub fn all() -> Vec<Channel> {
    let mut channels = Vec::new();
    let bindings = ordermill_rabbitmq::bindings();
    for exchange in ordermill_rabbitmq::exchanges() {
        let bound = bindings.iter().filter(|binding| binding.exchange == exchange.name);
        let keys: BTreeSet<_> = bound.map(|binding| binding.key).collect();
        channels.extend(keys.into_iter().map(|key| of_exchange(&exchange, key)));
    }
    channels.extend(ordermill_rabbitmq::queues().iter().map(|queue| of_queue(queue, &bindings)));
    channels.extend([RPC_PAYMENT, RPC_PAYMENT_REQUESTS].map(|address| Channel {
        id: replies(address),
        messages: BTreeSet::from([messages::answer(address)]),
        is_published_to_first: false,
        about: json!({
            "address": null,
            "description": "The queue that the question names in `reply_to`.",
        }),
    }));
    channels
}

/// The name of the channel of an exchange's routing key; of a fanout there is one.
fn by_key(exchange: &str, key: &str) -> String {
    if key.is_empty() { exchange.to_owned() } else { format!("{exchange}.{key}") }
}

/// The name of a queue's channel.
pub fn by_queue(queue: &str) -> String {
    format!("queue.{queue}")
}

/// The name of the channel of the answers to the questions at an address.
pub fn replies(address: &str) -> String {
    format!("replies.{address}")
}

/// The messages of an exchange under a routing key, a bundle of them among them.
fn messages_under(exchange: Exchange, key: &str) -> BTreeSet<&'static str> {
    let is_under = |kind: &&Kind| match exchange.kind() {
        ExchangeKind::Fanout => feeds(exchange, &example(**kind)),
        ExchangeKind::Headers => **kind == Kind::NotificationSend,
        ExchangeKind::Direct | ExchangeKind::Topic => kind.as_str() == key,
    };
    let kinds = Kind::ALL.iter().filter(is_under).map(|kind| kind.as_str());
    kinds.chain(bundles(exchange).then_some(BUNDLE)).collect()
}

fn messages_to(queue: Queue) -> BTreeSet<&'static str> {
    let bindings = BINDINGS.iter().copied().flatten().filter(|binding| binding.queue == queue);
    bindings.flat_map(|binding| messages_under(binding.exchange, binding.key)).collect()
}

/// The exchange of a name, if it is one that messages are published to first.
fn exchange_named(name: &str) -> Option<Exchange> {
    Exchange::ALL.iter().copied().find(|exchange| exchange.as_str() == name)
}

fn of_exchange(plan: &ExchangePlan, key: &str) -> Channel {
    let exchange = exchange_named(&plan.name);
    let rest = rest_of(&plan.name);
    Channel {
        id: by_key(&plan.name, key),
        messages: exchange.map_or_else(|| rest.1.clone(), |exchange| messages_under(exchange, key)),
        is_published_to_first: exchange.is_some(),
        about: json!({
            "address": if key.is_empty() { Value::Null } else { key.into() },
            "description": exchange.map_or(rest.0, |exchange| exchange.about().to_owned()),
            "bindings": {"amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": plan.name, "type": plan.kind.as_str(), "durable": true, "autoDelete": false,
                },
                "bindingVersion": BINDING_VERSION,
            }},
            "x-arguments": plan.arguments(),
        }),
    }
}

fn of_queue(plan: &QueuePlan, bindings: &[BindingPlan]) -> Channel {
    let dead = plan.name.strip_suffix(".dlq");
    let work = Queue::parse(dead.unwrap_or(&plan.name));
    let (description, messages) = match work {
        Some(queue) if dead.is_some() => {
            (format!("Dead letters of `{queue}`."), messages_to(queue))
        }
        Some(queue) => (queue.about().to_owned(), messages_to(queue)),
        None => rest_of(&plan.name),
    };
    let bound = bindings.iter().filter(|binding| binding.queue == plan.name).map(|binding| {
        json!({
            "exchange": binding.exchange, "routingKey": binding.key, "arguments": binding.arguments(),
        })
    });
    let mut about = json!({
        "address": plan.name,
        "description": description,
        "bindings": {"amqp": {
            "is": "queue",
            "queue": {"name": plan.name, "durable": true, "exclusive": false, "autoDelete": false},
            "bindingVersion": BINDING_VERSION,
        }},
        "x-arguments": plan.arguments(),
    });
    let bound: Vec<_> = bound.collect();
    if !bound.is_empty() {
        about["x-bindings"] = bound.into();
    }
    Channel { id: by_queue(&plan.name), messages, is_published_to_first: false, about }
}

/// What passes through an exchange or queue that no message is published to first.
fn rest_of(name: &str) -> (String, BTreeSet<&'static str>) {
    if [RPC_PAYMENT, RPC_PAYMENT_REQUESTS].contains(&name) {
        return (
            messages::about_questions(name).to_owned(),
            BTreeSet::from([messages::question(name)]),
        );
    }
    for service in ServiceName::ALL {
        if RETRY_DELAYS.into_iter().any(|delay| retry_exchange(*service, delay) == name) {
            let own = Queue::ALL.iter().filter(|queue| queue.service() == *service);
            let description = format!(
                "Messages that the {service} service failed on, until they are tried again."
            );
            return (description, own.flat_map(|queue| messages_to(*queue)).collect());
        }
    }
    let description = "Messages for a channel that nobody serves.".to_owned();
    (description, messages_under(Exchange::NotificationChannels, ""))
}
