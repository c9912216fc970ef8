//! The AsyncAPI document: every exchange, queue and message, made from the topology that is declared and the types
//! that are written.
//!
//! ```text
//! domain: Kind, Exchange, Queue, schemas ──┐
//! broker/rabbitmq: what is declared ───────┼──▶ channels, operations, messages ──▶ openapi/asyncapi.json
//! actors: questions and answers ───────────┘                                       GET /asyncapi.json
//! ```
//!
//! In process, without RabbitMQ, the same messages take the same ways.

mod channels;
mod messages;
mod operations;
mod parts;

use serde_json::{Value, json};

/// The AsyncAPI document, as it stands in `openapi/asyncapi.json`.
pub fn asyncapi_json() -> String {
    format!("{:#}\n", document())
}

fn document() -> Value {
    let channels = channels::all();
    let operations = operations::all(&channels);
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Ordermill",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The commands and events between Ordermill's services, and its questions and answers. \
                Delivery is at least once: `event_id` is the same for every copy of a message. Readers pass over \
                members that they do not know.",
            "license": {"name": env!("CARGO_PKG_LICENSE"), "url": "https://spdx.org/licenses/"},
            "contact": {"name": "The operator of this server"},
        },
        "defaultContentType": messages::CONTENT_TYPE,
        "servers": {
            "amqp": server("amqp", "localhost:5672"),
            "amqps": server("amqps", "localhost:5671"),
        },
        "channels": channels.into_iter().map(|channel| (channel.id.clone(), channel.into_json())).collect::<Value>(),
        "operations": operations,
        "components": messages::components(),
    })
}

fn server(protocol: &str, host: &str) -> Value {
    json!({
        "host": host,
        "protocol": protocol,
        "protocolVersion": "0.9.1",
        "description": "RabbitMQ, one vhost per installation: `AMQP_URL`.",
        "security": [{"$ref": "#/components/securitySchemes/userPassword"}],
    })
}
