//! Holds messages to the schemas that clients are given, strictly: a member that no schema names is a fault.

use crate::messages::schema::{BUNDLE, ENVELOPE, messages, reference, written};
use crate::messages::{Body, Kind};
use jsonschema::Draft;
pub use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::LazyLock;

/// By the name of the schema. Made once: a validator of a message takes milliseconds.
static VALIDATORS: LazyLock<HashMap<&'static str, Validator>> = LazyLock::new(|| {
    let schemas = messages(written());
    let names = Kind::ALL.iter().map(|kind| kind.as_str()).chain([BUNDLE]);
    names.map(|name| (name, validator(&schemas, name))).collect()
});

/// Asserts that a body is what its schema says, and that its schema names all that it has.
///
/// # Panics
/// When it is not. The text names the place.
#[track_caller]
pub fn assert_described(body: &Body) {
    let json: Value = serde_json::from_str(&body.to_json()).expect("a body is written as JSON");
    let faults = faults(&json);
    assert!(
        faults.is_empty(),
        "a published message is not as openapi/asyncapi.json says: {faults:#?}\n{json:#}"
    );
}

/// What is wrong with a message or bundle by its schema; empty when nothing is.
pub fn faults(body: &Value) -> Vec<String> {
    let Some(entries) = body["messages"].as_array() else { return faults_by(kind_of(body), body) };
    // Each entry by its own schema: of a choice between all kinds, the fault would be that none fits.
    let mut faults: Vec<_> =
        entries.iter().flat_map(|entry| faults_by(kind_of(entry), entry)).collect();
    if faults.is_empty() {
        faults = faults_by(BUNDLE, body);
    }
    faults
}

fn kind_of(message: &Value) -> &str {
    message["event_type"].as_str().unwrap_or_default()
}

fn faults_by(schema: &str, value: &Value) -> Vec<String> {
    match VALIDATORS.get(schema) {
        Some(validator) => faults_of(validator, value),
        None => vec![format!("there is no message `{schema}`")],
    }
}

/// What a validator finds wrong with a value, with the places.
pub fn faults_of(validator: &Validator, value: &Value) -> Vec<String> {
    let text =
        |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    validator.iter_errors(value).map(text).collect()
}

/// A strict validator by one of these schemas: it refuses members that no schema names.
///
/// # Panics
/// When it is not a schema, or is not there.
pub fn validator(schemas: &Map<String, Value>, name: &str) -> Validator {
    let mut schemas = schemas.clone();
    for (name, schema) in &mut schemas {
        // The envelope's members are a part of each message's.
        if name != ENVELOPE {
            close(schema);
        }
    }
    open_validator(&schemas, name)
}

/// A validator by one of these schemas as they are.
///
/// # Panics
/// When it is not a schema, or is not there.
pub fn open_validator(schemas: &Map<String, Value>, name: &str) -> Validator {
    let mut root = reference(name);
    root["components"] = json!({"schemas": schemas});
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(&root)
        .expect("the schemas are schemas")
}

/// Has an object's schema refuse the members that it does not name, and so those within.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(words) => {
            words
                .iter_mut()
                .filter(|(word, _)| *word != "examples")
                .for_each(|(_, value)| close(value));
            if words.get("properties").is_some_and(|properties| !properties.is_boolean())
                && words.get("type").is_some_and(|of| of == "object")
            {
                words.insert("unevaluatedProperties".to_owned(), false.into());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrderId;
    use crate::messages::{Flow, InventoryMessage, Message, Origin, Payload, Plan, StockLine};
    use chrono::DateTime;
    use uuid::Uuid;

    fn message() -> Value {
        let origin = Origin::new(OrderId(Uuid::nil()), Flow::Orchestrated, Plan::ReserveFirst);
        let lines = vec![StockLine { product_id: "MUG".into(), quantity: 2 }];
        let payload = Payload::Inventory(InventoryMessage::Reserve(lines));
        let message = Message::new(&origin, payload, 0, DateTime::UNIX_EPOCH);
        serde_json::from_str(message.json()).unwrap()
    }

    fn bundle(entries: &[Value]) -> Value {
        json!({"bundle_id": Uuid::nil(), "messages": entries})
    }

    #[test]
    fn what_is_written_has_no_fault() {
        assert_eq!(faults(&message()), Vec::<String>::new());
        assert_eq!(faults(&bundle(&[message(), message()])), Vec::<String>::new());
    }

    #[test]
    fn a_fault_is_found_at_its_place() {
        let wrong = |change: &dyn Fn(&mut Value), at: &str| {
            let mut message = message();
            change(&mut message);
            for body in [message.clone(), bundle(&[message])] {
                let found = faults(&body).join("\n");
                assert!(found.contains(at), "expected `{at}` in `{found}`");
            }
        };
        wrong(&|message| message["data"][0]["quantity"] = "2".into(), "/data/0/quantity");
        wrong(&|message| message["data"][0]["colour"] = "red".into(), "colour");
        wrong(&|message| message["colour"] = "red".into(), "colour");
        wrong(&|message| message["flow"] = "circular".into(), "/flow");
        wrong(&|message| message["occurred_at"] = "yesterday".into(), "/occurred_at");
        wrong(&|message| message["order_id"] = "7".into(), "/order_id");
        wrong(&|message| message["traceparent"] = Value::Null, "/traceparent");
        wrong(&|message| drop(message.as_object_mut().unwrap().remove("number")), "number");
        wrong(&|message| drop(message.as_object_mut().unwrap().remove("data")), "data");
        wrong(&|message| message["event_type"] = "inventory.stolen".into(), "inventory.stolen");
        assert!(!faults(&json!({"messages": [message()]})).is_empty(), "without an id");
        assert!(!faults(&bundle(&vec![message(); 65])).is_empty(), "too long");
    }
}
