//! The committed AsyncAPI document is the one that the binary serves, and it leaves nothing out.

#![expect(clippy::unwrap_used, reason = "a test panics when it fails")]

use ordermill_domain::messages::{Exchange, Kind, Queue};
use serde_json::Value;
use std::collections::BTreeSet;

/// Where it is committed, from the root of the repository.
const PATH: &str = "openapi/asyncapi.json";

fn document() -> Value {
    serde_json::from_str(&ordermill::asyncapi::asyncapi_json()).unwrap()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let committed = std::fs::read_to_string(PATH).unwrap_or_default();
    let served = ordermill::asyncapi::asyncapi_json();
    let drift = committed.lines().zip(served.lines()).position(|(old, new)| old != new);
    assert!(
        committed == served,
        "{PATH} is out of date, from line {} on; write it anew, and look at what has changed:\n\
         \x20   cargo run -- asyncapi > {PATH}",
        drift.map_or(committed.lines().count().min(served.lines().count()), |line| line) + 1,
    );
}

#[test]
fn every_message_has_a_publisher_and_a_consumer() {
    let document = document();
    let mut of = [BTreeSet::new(), BTreeSet::new()];
    for operation in document["operations"].as_object().unwrap().values() {
        let receives = usize::from(operation["action"] == "receive");
        for message in operation["messages"].as_array().unwrap() {
            let name = message["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            of[receives].insert(name.to_owned());
        }
    }
    for kind in Kind::ALL {
        assert!(of.iter().all(|names| names.contains(kind.as_str())), "{kind}");
    }
    assert_eq!(of[0], of[1]);
}

#[test]
fn every_exchange_queue_and_message_is_described() {
    let document = document();
    let channels = document["channels"].as_object().unwrap();
    let amqp = |part: &str| -> BTreeSet<String> {
        let named = channels.values().map(|channel| &channel["bindings"]["amqp"][part]["name"]);
        named.filter_map(|name| name.as_str().map(str::to_owned)).collect()
    };
    for exchange in Exchange::ALL {
        assert!(amqp("exchange").contains(exchange.as_str()), "{exchange:?}");
    }
    for queue in Queue::ALL {
        assert!(amqp("queue").contains(queue.as_str()) && amqp("queue").contains(&queue.dlq()));
    }
    for (id, channel) in channels {
        assert!(!channel["description"].as_str().unwrap().is_empty(), "{id}");
        assert!(!keys(&channel["messages"]).is_empty(), "{id} has no message");
    }
    for (name, message) in document["components"]["messages"].as_object().unwrap() {
        assert!(channels.values().any(|channel| channel["messages"][name].is_object()), "{name}");
        let is_rpc = name.ends_with(".question") || name.ends_with(".answer");
        assert_eq!(message["examples"].is_array(), !is_rpc, "{name}");
    }
}
