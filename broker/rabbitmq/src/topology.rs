//! The topology as RabbitMQ is told of it, made from the one list in `messages/topology.rs`.
//!
//! ```text
//! exchange ──▶ work queue ──(given up by the broker)──▶ <queue>.dlq
//!                  ▲                                        ▲
//!                  └── <service>.retry.1s|5s|30s ◀──copy────┘ (given up by its consumer: a copy)
//! notification.channels ──(nobody serves the channel)──▶ unrouted
//! ```
//!
//! Everything is durable, and declared by every process at every connection: declaring what is there
//! already costs nothing, and a queue that somebody deleted comes back.

use crate::error::Declared;
use lapin::types::{AMQPValue, FieldTable};
use ordermill_domain::ids::ServiceName;
use ordermill_domain::messages::{
    BINDINGS, Exchange, ExchangeKind, Queue, QueueKind, RETRY_DELAYS, RPC_PAYMENT,
    RPC_PAYMENT_REQUESTS, UNROUTED, retry_exchange,
};
use serde_json::{Map, Value};
use std::time::Duration;

mod claim;
mod declare;

pub use claim::Claim;
pub use declare::declare;

/// Returns to a queue after which the broker gives a message up. High: a process that is killed returns
/// everything that it had prefetched, and each return counts. Attempts are counted by our own header.
const DELIVERY_LIMIT: i64 = 100;

/// How long a message for a customer waits for its channel. Later than this it is no news any more.
const CHANNEL_TTL: Duration = Duration::from_secs(3_600);

/// Priorities of a queue for customers, 0 to 9. Each costs the broker a queue of its own.
const PRIORITIES: i64 = 10;

/// How long a question waits for somebody who answers; whoever asked has given up long before.
const QUESTION_TTL: Duration = Duration::from_secs(30);

/// A queue to be declared: its name, and the arguments that it must have.
pub struct QueuePlan {
    /// The queue.
    pub name: String,
    arguments: Arguments,
}

/// An exchange to be declared.
pub struct ExchangePlan {
    /// The exchange.
    pub name: String,
    /// How it chooses queues.
    pub kind: ExchangeKind,
    arguments: Arguments,
}

/// A queue to be bound.
pub struct BindingPlan {
    /// The exchange that the queue is bound to.
    pub exchange: String,
    /// The queue.
    pub queue: String,
    /// The routing key.
    pub key: &'static str,
    arguments: Arguments,
}

/// Arguments of a declaration.
type Arguments = Vec<(&'static str, AMQPValue)>;

/// Arguments as JSON, as RabbitMQ's management API shows them.
fn as_json(arguments: &Arguments) -> Map<String, Value> {
    let value = |value: &AMQPValue| match value {
        AMQPValue::LongString(text) => text.to_string().into(),
        AMQPValue::LongLongInt(number) => (*number).into(),
        other => format!("{other:?}").into(),
    };
    arguments.iter().map(|(name, argument)| ((*name).to_owned(), value(argument))).collect()
}

impl QueuePlan {
    /// The arguments that the queue has.
    pub fn arguments(&self) -> Map<String, Value> {
        as_json(&self.arguments)
    }

    /// In words, for whoever finds another under its name.
    pub(crate) fn declared(&self) -> Declared {
        Declared {
            thing: format!("queue `{}`", self.name),
            expected: words("durable", &self.arguments),
        }
    }
}

impl ExchangePlan {
    /// The arguments that the exchange has.
    pub fn arguments(&self) -> Map<String, Value> {
        as_json(&self.arguments)
    }

    /// In words, for whoever finds another under its name.
    pub(crate) fn declared(&self) -> Declared {
        let kind = format!("durable, of type {}", self.kind.as_str());
        Declared {
            thing: format!("exchange `{}`", self.name),
            expected: words(&kind, &self.arguments),
        }
    }
}

impl BindingPlan {
    /// The arguments that the binding has.
    pub fn arguments(&self) -> Map<String, Value> {
        as_json(&self.arguments)
    }

    /// In words.
    pub(crate) fn declared(&self) -> Declared {
        let expected = format!("bound to `{}`", self.exchange);
        Declared { thing: format!("queue `{}`", self.queue), expected }
    }
}

fn words(first: &str, arguments: &[(&'static str, AMQPValue)]) -> String {
    let mut words = first.to_owned();
    for (key, value) in arguments {
        words.push_str(", ");
        words.push_str(key);
        words.push(' ');
        match value {
            AMQPValue::LongString(text) => words.push_str(&format!("`{text}`")),
            AMQPValue::LongLongInt(number) => words.push_str(&number.to_string()),
            other => words.push_str(&format!("{other:?}")),
        }
    }
    words
}

fn text(text: impl Into<String>) -> AMQPValue {
    AMQPValue::LongString(text.into().into())
}

fn millis(time: Duration) -> AMQPValue {
    AMQPValue::LongLongInt(time.as_millis() as i64)
}

fn table(arguments: &[(&'static str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (key, value) in arguments {
        table.insert((*key).into(), value.clone());
    }
    table
}

/// Has the broker bring what it gives up to a queue, and keep it until that queue has it.
fn surely_to(key: Option<String>) -> Vec<(&'static str, AMQPValue)> {
    let mut arguments = vec![
        ("x-queue-type", text("quorum")),
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-strategy", text("at-least-once")),
        // The strategy asks for it. No queue has a length limit, so that nothing is ever rejected.
        ("x-overflow", text("reject-publish")),
    ];
    arguments.extend(key.map(|key| ("x-dead-letter-routing-key", text(key))));
    arguments
}

/// Every queue.
pub fn queues() -> Vec<QueuePlan> {
    let mut plans = Vec::new();
    for queue in Queue::ALL {
        let name = queue.as_str().to_owned();
        let arguments = match queue.kind() {
            QueueKind::Quorum => {
                let mut arguments = surely_to(Some(queue.dlq()));
                arguments.push(("x-delivery-limit", AMQPValue::LongLongInt(DELIVERY_LIMIT)));
                arguments
            }
            QueueKind::Priority => vec![
                ("x-max-priority", AMQPValue::LongLongInt(PRIORITIES)),
                ("x-message-ttl", millis(CHANNEL_TTL)),
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-routing-key", text(queue.dlq())),
            ],
        };
        plans.push(QueuePlan { name, arguments });
        let arguments = vec![("x-queue-type", text("quorum"))];
        plans.push(QueuePlan { name: queue.dlq(), arguments });
    }
    for (service, delay) in retries() {
        // The routing key stays as it is: the queue to return to.
        let mut arguments = surely_to(None);
        arguments.push(("x-message-ttl", millis(delay)));
        plans.push(QueuePlan { name: retry_exchange(service, delay), arguments });
    }
    plans.push(QueuePlan {
        name: UNROUTED.to_owned(),
        arguments: vec![("x-queue-type", text("quorum"))],
    });
    plans.extend([RPC_PAYMENT, RPC_PAYMENT_REQUESTS].map(|address| QueuePlan {
        name: address.to_owned(),
        arguments: vec![("x-message-ttl", millis(QUESTION_TTL))],
    }));
    plans
}

/// Every exchange; an alternate before the one that it is for.
pub fn exchanges() -> Vec<ExchangePlan> {
    let fanout =
        |name: String| ExchangePlan { name, kind: ExchangeKind::Fanout, arguments: Vec::new() };
    let mut plans = vec![fanout(UNROUTED.to_owned())];
    plans.extend(retries().map(|(service, delay)| fanout(retry_exchange(service, delay))));
    plans.extend(Exchange::ALL.iter().map(|exchange| ExchangePlan {
        name: exchange.as_str().to_owned(),
        kind: exchange.kind(),
        arguments: match exchange.kind() {
            ExchangeKind::Headers => vec![("alternate-exchange", text(UNROUTED))],
            ExchangeKind::Direct | ExchangeKind::Topic | ExchangeKind::Fanout => Vec::new(),
        },
    }));
    plans
}

/// Every binding.
pub fn bindings() -> Vec<BindingPlan> {
    let to_its_namesake = |name: String| BindingPlan {
        exchange: name.clone(),
        queue: name,
        key: "",
        arguments: Vec::new(),
    };
    let mut plans = vec![to_its_namesake(UNROUTED.to_owned())];
    plans.extend(retries().map(|(service, delay)| to_its_namesake(retry_exchange(service, delay))));
    for binding in BINDINGS.iter().copied().flatten() {
        let arguments = match binding.exchange.kind() {
            ExchangeKind::Headers => vec![("x-match", text("all")), ("channel", text(binding.key))],
            ExchangeKind::Direct | ExchangeKind::Topic | ExchangeKind::Fanout => Vec::new(),
        };
        plans.push(BindingPlan {
            exchange: binding.exchange.as_str().to_owned(),
            queue: binding.queue.as_str().to_owned(),
            key: binding.key,
            arguments,
        });
    }
    plans
}

fn retries() -> impl Iterator<Item = (ServiceName, Duration)> {
    ServiceName::ALL
        .iter()
        .flat_map(|&service| RETRY_DELAYS.into_iter().map(move |delay| (service, delay)))
}
