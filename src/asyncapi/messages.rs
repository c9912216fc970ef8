//! Messages, questions and answers, and their schemas.

use super::parts::{BINDING_VERSION, reference};
use ordermill_actors::payment::all_rpc_schemas;
use ordermill_domain::messages::schema::{self, BUNDLE, example};
use ordermill_domain::messages::{Body, Bundle, Kind, RPC_PAYMENT};
use ordermill_rabbitmq::header;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// What every body is.
pub const CONTENT_TYPE: &str = "application/json";

/// The name of a question to an address.
pub fn question(address: &str) -> &'static str {
    if address == RPC_PAYMENT {
        "payment.confirmation.question"
    } else {
        "payment.requests.question"
    }
}

/// The name of an answer from an address.
pub fn answer(address: &str) -> &'static str {
    if address == RPC_PAYMENT { "payment.confirmation.answer" } else { "payment.requests.answer" }
}

/// What is asked at an address.
pub fn about_questions(address: &str) -> &'static str {
    if address == RPC_PAYMENT {
        "Questions about payments, answered at once to whoever asked."
    } else {
        "Notifications and people's requests to payments, answered once they are decided."
    }
}

/// Everything that other parts of the document refer to.
pub fn components() -> Value {
    let mut generator = schema::written();
    schema::add_messages(&mut generator);
    let mut messages = Map::new();
    for kind in Kind::ALL {
        messages.insert(kind.as_str().to_owned(), message(*kind));
    }
    messages.insert(BUNDLE.to_owned(), bundle());
    for rpc in all_rpc_schemas(&mut generator) {
        let answers = json!({ "anyOf": rpc.answers });
        for (name, payload) in
            [(question(rpc.address), rpc.question.into()), (answer(rpc.address), answers)]
        {
            messages.insert(name.to_owned(), rpc_message(name, &payload));
        }
    }
    json!({
        "messages": messages,
        "messageTraits": {"published": published()},
        "correlationIds": {
            "order": {"description": "The order.", "location": "$message.payload#/order_id"},
            "question": {"description": "The question.", "location": "$message.header#/correlation_id"},
        },
        "securitySchemes": {"userPassword": {"type": "userPassword"}},
        "schemas": generator.take_definitions(true),
    })
}

fn message(kind: Kind) -> Value {
    json!({
        "name": kind,
        "title": kind,
        "summary": kind.about(),
        "traits": [reference("components/messageTraits/published")],
        "correlationId": reference("components/correlationIds/order"),
        "payload": schema::reference(kind.as_str()),
        "bindings": {"amqp": {"messageType": kind, "bindingVersion": BINDING_VERSION}},
        "examples": [{"payload": parsed(example(kind).json())}],
    })
}

fn bundle() -> Value {
    let messages = vec![example(Kind::InventoryReserve); 2];
    let (id, unreadable) = (Uuid::from_u128(1), Vec::new());
    let example = Body::Bundle(Arc::new(Bundle { id, messages, unreadable }));
    json!({
        "name": BUNDLE,
        "title": BUNDLE,
        "summary": "Several messages in one.",
        "traits": [reference("components/messageTraits/published")],
        "payload": schema::reference(BUNDLE),
        "bindings": {"amqp": {"messageType": BUNDLE, "bindingVersion": BINDING_VERSION}},
        "examples": [{"payload": parsed(&example.to_json())}],
    })
}

fn rpc_message(name: &str, payload: &Value) -> Value {
    json!({
        "name": name,
        "title": name,
        "contentType": CONTENT_TYPE,
        "correlationId": reference("components/correlationIds/question"),
        "payload": payload,
    })
}

/// What is alike in everything that is published: the content type and the headers.
fn published() -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    let time =
        json!({"type": "string", "format": "date-time", "description": "When it failed first."});
    let attempt = json!({
        "type": "integer", "minimum": 1,
        "description": "How often its consumer has failed on it. Left out: never.",
    });
    let headers = Map::from_iter([
        (
            header::TRACEPARENT.to_owned(),
            text("The trace of all messages in it (W3C Trace Context)."),
        ),
        (header::ATTEMPT.to_owned(), attempt),
        (header::FIRST_FAILED_AT.to_owned(), time),
        (header::CHANNEL.to_owned(), text("Of a message for a customer: `email`, `sms`.")),
        (header::CAUSE.to_owned(), text("Of a dead letter: why.")),
        (header::ORIGINAL_QUEUE.to_owned(), text("Of a dead letter: the queue that it was in.")),
    ]);
    json!({
        "contentType": CONTENT_TYPE,
        "headers": {"type": "object", "properties": headers},
    })
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).expect("a message is written as JSON")
}
