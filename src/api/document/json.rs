//! Reading and changing a document as JSON.

use serde_json::{Map, Value};

pub fn members(value: &mut Value) -> impl Iterator<Item = (&str, &mut Value)> {
    let members = value.as_object_mut().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}

pub fn members_of(value: &mut Value) -> Option<&mut Map<String, Value>> {
    value.as_object_mut()
}

/// The name of a schema that is referred to.
pub fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}
