//! What is in RabbitMQ is what openapi/asyncapi.json says: exchanges, queues and bindings, and every message that is
//! published there.

use super::management::Management;
use super::setup::Setup;
use super::shop::{Shop, order};
use ordermill_domain::messages::{Exchange, Kind};
use ordermill_domain::testing::described::faults;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// The longest that orders may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);
/// A queue that gets a copy of everything.
const TAP: &str = "tap";
/// Messages taken from it at once.
const AT_ONCE: usize = 500;

fn document() -> Value {
    serde_json::from_str(&ordermill::asyncapi::asyncapi_json()).unwrap()
}

/// Arguments in one order. RabbitMQ 4 adds the type of a queue that names none.
fn arguments(of: &Value) -> String {
    let mut of = of.clone();
    if of["x-queue-type"] == "classic" {
        of.as_object_mut().unwrap().remove("x-queue-type");
    }
    of.to_string()
}

/// The exchanges of the document, each as a line; and the queues; and the bindings.
fn described() -> [BTreeSet<String>; 3] {
    let [mut exchanges, mut queues, mut bindings] = [const { BTreeSet::new() }; 3];
    for channel in document()["channels"].as_object().unwrap().values() {
        let amqp = &channel["bindings"]["amqp"];
        let (exchange, queue) = (&amqp["exchange"], &amqp["queue"]);
        let arguments = arguments(&channel["x-arguments"]);
        if exchange.is_object() {
            let [name, of, durable, deleted] =
                ["name", "type", "durable", "autoDelete"].map(|word| &exchange[word]);
            exchanges.insert(format!("{name} {of} {durable} {deleted} {arguments}"));
        }
        if queue.is_object() {
            let [name, durable, deleted, alone] =
                ["name", "durable", "autoDelete", "exclusive"].map(|word| &queue[word]);
            queues.insert(format!("{name} {durable} {deleted} {alone} {arguments}"));
        }
        for bound in channel["x-bindings"].as_array().into_iter().flatten() {
            let [from, key, with] =
                ["exchange", "routingKey", "arguments"].map(|word| &bound[word]);
            bindings.insert(format!("{from} {key} {} {with}", queue["name"]));
        }
    }
    [exchanges, queues, bindings]
}

/// The same as RabbitMQ has them.
async fn declared(management: &Management) -> [BTreeSet<String>; 3] {
    let [mut exchanges, mut queues, mut bindings] = [const { BTreeSet::new() }; 3];
    for one in management.listed("exchanges").await {
        let name = one["name"].as_str().unwrap();
        // RabbitMQ's own, and those that mark whose vhost it is: nothing is published to them.
        if !(name.is_empty()
            || name.starts_with("amq.")
            || name.starts_with("ordermill.installation."))
        {
            let [name, of, durable, deleted] =
                ["name", "type", "durable", "auto_delete"].map(|word| &one[word]);
            exchanges.insert(format!(
                "{name} {of} {durable} {deleted} {}",
                arguments(&one["arguments"])
            ));
        }
    }
    for one in management.listed("queues").await {
        let [name, durable, deleted, alone] =
            ["name", "durable", "auto_delete", "exclusive"].map(|word| &one[word]);
        queues
            .insert(format!("{name} {durable} {deleted} {alone} {}", arguments(&one["arguments"])));
    }
    for one in management.listed("bindings").await {
        // Each queue is bound to the default exchange by its name.
        if one["source"] != "" {
            let [from, key, to, with] =
                ["source", "routing_key", "destination", "arguments"].map(|word| &one[word]);
            bindings.insert(format!("{from} {key} {to} {with}"));
        }
    }
    [exchanges, queues, bindings]
}

async fn the_topology_is_the_described_one(setup: Setup) {
    let server = setup.start();
    let (found, expected) = (declared(&setup.on_servers().management).await, described());
    for (what, (found, expected)) in
        ["exchanges", "queues", "bindings"].into_iter().zip(found.into_iter().zip(expected))
    {
        assert!(expected.len() > 20, "{what}: {expected:#?}");
        let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| -> Vec<String> {
            these.difference(those).cloned().collect()
        };
        let (missing, unknown) = (only(&expected, &found), only(&found, &expected));
        assert!(
            missing.is_empty() && unknown.is_empty(),
            "{what}: RabbitMQ has not {missing:#?}, the document has not {unknown:#?}"
        );
    }
    server.terminate().await;
}

/// Binds the tap to everything.
async fn tap(management: &Management) {
    management.declare_queue(TAP, &json!({})).await;
    let channels = document()["channels"].clone();
    for exchange in Exchange::ALL {
        let of_it =
            channels.as_object().unwrap().values().filter(|channel| {
                channel["bindings"]["amqp"]["exchange"]["name"] == exchange.as_str()
            });
        // A direct exchange knows no pattern.
        let keys = of_it.filter_map(|channel| channel["address"].as_str()).chain(["#"]);
        for key in keys {
            management.bind(exchange.as_str(), key, TAP).await;
        }
    }
}

/// Places orders that end in many ways.
async fn trade(shop: &Shop) {
    let methods = [
        "credit_card",
        "credit_card",
        "credit_card",
        "test_declined",
        "test_redirect_late",
        "test_review",
    ];
    let orders: Vec<_> =
        methods.into_iter().map(|method| order("customer", &[("A", 1)], method)).collect();
    let mut orders = orders;
    orders.push(order("customer", &[("A", 5_000)], "credit_card"));
    for order in &mut orders {
        order["email"] = "customer@example.org".into();
    }
    let ids = shop.place_all(&orders, 4).await;
    for (id, request) in [(&ids[0], "cancel"), (&ids[1], "dispatch")] {
        shop.until(id, PATIENCE, |order| order.status == "CONFIRMED").await;
        shop.post(&format!("/orders/{id}/{request}")).await;
    }
    for id in [&ids[4], &ids[5]] {
        shop.until(id, PATIENCE, |order| order.payment.is_some()).await;
        shop.post(&format!("/orders/{id}/cancel")).await;
    }
    shop.all_at_rest(PATIENCE).await;
}

async fn every_message_is_as_described(setup: Setup) {
    let management = setup.on_servers().management.clone();
    let mut server = setup.start();
    tap(&management).await;
    server.shop().stock("A", 1_000).await;
    trade(&server.shop()).await;
    server.terminate().await;
    server = setup.clone().with("ORDERMILL_FLOW", "choreographed").start();
    trade(&server.shop()).await;
    server.terminate().await;

    let document = document();
    let headers = &document["components"]["messageTraits"]["published"]["headers"]["properties"];
    let (mut kinds, mut bundles) = (BTreeSet::new(), 0);
    loop {
        let taken = management.take(TAP, AT_ONCE).await;
        if taken.is_empty() {
            break;
        }
        for message in taken {
            let body: Value = serde_json::from_str(message["payload"].as_str().unwrap()).unwrap();
            assert_eq!(faults(&body), Vec::<String>::new(), "{body:#}");
            let properties = &message["properties"];
            for (header, _) in properties["headers"].as_object().into_iter().flatten() {
                assert!(headers[header].is_object(), "{header} is not described: {properties:#}");
            }
            let name = properties["type"].as_str().unwrap();
            assert_eq!(document["components"]["messages"][name]["name"], name);
            let entries = body["messages"].as_array();
            bundles += usize::from(entries.is_some());
            for message in entries.map_or_else(|| vec![&body], |entries| entries.iter().collect()) {
                kinds.insert(message["event_type"].as_str().unwrap().to_owned());
            }
            // What is published under a key is described there.
            let (exchange, key) = (&message["exchange"], &message["routing_key"]);
            let on_it = document["channels"].as_object().unwrap().values().any(|channel| {
                let amqp = &channel["bindings"]["amqp"];
                amqp["exchange"]["name"] == *exchange
                    && (channel["address"] == *key || channel["address"].is_null())
                    && channel["messages"][name].is_object()
            });
            assert!(on_it, "{exchange} {key}: {name}");
        }
    }
    let missing: Vec<_> = Kind::ALL.iter().filter(|kind| !kinds.contains(kind.as_str())).collect();
    println!("{} kinds, {bundles} bundles; not seen: {missing:?}", kinds.len());
    assert!(missing.len() < 10 && bundles > 0, "{missing:?}");
}

on_servers! {
    the_topology_is_the_described_one
    every_message_is_as_described
}
