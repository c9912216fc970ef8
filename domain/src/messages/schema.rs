//! The JSON Schema of every message and of the bundle, made from the types that write and read them.
//!
//! There are two: what is written, and what is read. What is written can always be read; what is read may lack what
//! has a default. Objects stay open: readers pass over fields that they do not know.

use super::body::Bundle;
use super::envelope::{Message, Origin};
use super::payload::Kind;
use crate::clock::Timestamp;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

/// Where schemas refer to each other, from the root of the document that they are part of.
const DEFINITIONS: &str = "#/components/schemas/";

/// The name of the bundle's schema; a message's has the name of its kind.
pub const BUNDLE: &str = "bundle";

/// The name of the schema of what every message has.
pub const ENVELOPE: &str = "Envelope";

/// What every message has beside its name and content: as `Message` writes it and its reader reads it.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used; the tests hold every message to it")]
struct Envelope {
    /// The same for every copy of the same message: computed from order, kind and number.
    event_id: Uuid,
    /// 0, and counted on where the same thing may happen twice to one order.
    #[serde(default)]
    number: u32,
    /// When it was decided.
    occurred_at: Timestamp,
    #[serde(flatten)]
    origin: Origin,
}

/// A generator of schemas of what is written.
pub fn written() -> SchemaGenerator {
    let settings = settings().for_serialize();
    settings.with_transform(RecursiveTransform(without_null_where_absent)).into_generator()
}

/// A generator of schemas of what is read.
pub fn read() -> SchemaGenerator {
    settings().for_deserialize().into_generator()
}

/// Draft 7, which is what AsyncAPI's own schemas extend.
fn settings() -> SchemaSettings {
    SchemaSettings::draft07().with(|settings| settings.definitions_path = DEFINITIONS.into())
}

/// The schemas of every message, of the bundle and of all that they refer to, by name.
pub fn messages(mut generator: SchemaGenerator) -> Map<String, Value> {
    add_messages(&mut generator);
    generator.take_definitions(true)
}

/// Adds the schema of every message, under the name of its kind, and of the bundle.
pub fn add_messages(generator: &mut SchemaGenerator) {
    for kind in Kind::ALL {
        let schema = message(*kind, generator);
        generator.definitions_mut().insert(kind.as_str().to_owned(), schema.into());
    }
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| reference(kind.as_str())).collect();
    let bundle = json_schema!({
        "type": "object",
        "description": "The messages of one outbox row that go to the same exchange under the same routing key.",
        "properties": {
            "bundle_id": {
                "type": "string", "format": "uuid",
                "description": "The outbox row; stable when the row is published again.",
            },
            "messages": {
                "type": "array", "maxItems": Bundle::MESSAGES_MAX, "items": {"oneOf": kinds},
                "description": "In the order in which they were decided.",
            },
        },
        "required": ["bundle_id", "messages"],
    });
    generator.definitions_mut().insert(BUNDLE.to_owned(), bundle.into());
}

fn message(kind: Kind, generator: &mut SchemaGenerator) -> Schema {
    let envelope = generator.subschema_for::<Envelope>();
    let mut schema = json_schema!({
        "type": "object",
        "description": kind.about(),
        "allOf": [envelope],
        "properties": {"event_type": {"type": "string", "const": kind.as_str()}},
        "required": ["event_type"],
    });
    if let Some(data) = kind.data_schema(generator) {
        schema.insert("required".into(), ["event_type", "data"].as_slice().into());
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.insert("data".into(), data.into());
        }
    }
    schema
}

/// A reference to a schema by its name.
pub fn reference(name: &str) -> Value {
    Value::Object(Map::from_iter([("$ref".to_owned(), format!("{DEFINITIONS}{name}").into())]))
}

/// A member that is left out when there is nothing is never written as null.
fn without_null_where_absent(schema: &mut Schema) {
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(Value::Object(members)) = schema.get_mut("properties") else { return };
    for (name, member) in members {
        if required.iter().any(|required| required == name) {
            continue;
        }
        if let Some(Value::Array(types)) = member.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = &**types {
                member["type"] = only.clone();
            }
        }
        if let Some(Value::Array(forms)) = member.get_mut("anyOf") {
            forms.retain(|form| form["type"] != "null");
        }
    }
}

/// The content of a message of each kind, by its name; the others have none.
static EXAMPLES: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("examples.json")).expect("examples.json is an object")
});

/// The content of an example of a kind. Null: it has none.
pub fn example_data(kind: Kind) -> Value {
    EXAMPLES.get(kind.as_str()).cloned().unwrap_or_default()
}

/// A message of a kind.
pub fn example(kind: Kind) -> Arc<Message> {
    let order = Uuid::from_u128(2);
    let mut written = json!({
        "event_id": Uuid::from_u128(1), "event_type": kind, "occurred_at": "2026-03-01T10:00:00.123456Z",
        "order_id": order, "flow": "choreographed", "plan": "reserve-first",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    });
    let data = example_data(kind);
    if !data.is_null() {
        written["data"] = data;
    }
    Message::from_json(&written.to_string()).expect("examples.json has the content of each kind")
}
