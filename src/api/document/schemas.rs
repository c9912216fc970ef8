//! The schemas of the document, as generated clients need them.

use super::json::{members, members_of, referred};
use crate::api::new_order::{FORMS, Form};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Finishes every schema.
pub fn finish(document: &mut Value) {
    divide(&mut document["components"]["schemas"], "NewOrder", &FORMS);
    let requests = of_requests(document);
    for (name, schema) in members(&mut document["components"]["schemas"]) {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, property) in schema.get_mut("properties").into_iter().flat_map(members) {
            beside_reference(property);
            // A list that is left out while it is empty is never null: poem-openapi has written its default.
            // Generated clients would take a member that has a default for one that is always there.
            let is_list = members_of(property).and_then(|it| it.remove("default")).is_some();
            if !required.contains(&json!(name)) && !is_list {
                or_null(property);
            }
        }
        if requests.contains(name) && schema["properties"].is_object() {
            schema["additionalProperties"] = json!(false);
        }
        if schema["oneOf"].is_array() {
            // Its alternatives say of which type they are.
            members_of(schema).map(|schema| schema.remove("type"));
        }
    }
}

/// Makes a schema of each form of a request.
fn divide(schemas: &mut Value, request: &str, forms: &[Form]) {
    let whole = schemas[request].take();
    for form in forms {
        let mut schema = whole.clone();
        schema["title"] = json!(form.name);
        schema["description"] = json!(form.about);
        schema["required"] = json!(form.required);
        if let Some(properties) = members_of(&mut schema["properties"]) {
            properties.retain(|name, _| !form.without.contains(&name.as_str()));
        }
        schemas[form.name] = schema;
    }
    let reference = |form: &Form| json!({ "$ref": format!("#/components/schemas/{}", form.name) });
    let forms: Vec<_> = forms.iter().map(reference).collect();
    schemas[request] = json!({ "description": whole["description"], "oneOf": forms });
}

/// Words beside a reference are not read: it is put into an `allOf` of its own.
fn beside_reference(property: &mut Value) {
    let Some([reference, words]) = property["allOf"].as_array().map(Vec::as_slice) else { return };
    if words.get("$ref").is_some() {
        return;
    }
    let (reference, mut words) = (reference.clone(), words.clone());
    words["allOf"] = json!([reference]);
    *property = words;
}

/// What an object may lack may be null as well, in answers and in requests. `nullable` is read beside a
/// `type` only, and nothing is read beside a reference.
fn or_null(property: &mut Value) {
    if property["type"].is_string() {
        property["nullable"] = json!(true);
        return;
    }
    let none = json!({ "type": "object", "nullable": true, "enum": [null] });
    let reference = match members_of(property).and_then(|it| it.remove("allOf")) {
        Some(alone) => alone[0].clone(),
        None => std::mem::replace(property, json!({})),
    };
    property["anyOf"] = json!([reference, none]);
}

/// The schemas that requests are made of. What they do not name is refused.
fn of_requests(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for operation in document["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
        for operation in operation.as_object().into_iter().flat_map(|methods| methods.values()) {
            collect(document, &operation["requestBody"], &mut found);
        }
    }
    found
}

fn collect(document: &Value, value: &Value, found: &mut BTreeSet<String>) {
    if let Some(name) = referred(value)
        && found.insert(name.to_owned())
    {
        collect(document, &document["components"]["schemas"][name], found);
    }
    match value {
        Value::Object(members) => members.values().for_each(|one| collect(document, one, found)),
        Value::Array(list) => list.iter().for_each(|one| collect(document, one, found)),
        _ => {}
    }
}
