//! The OpenAPI document: what the routes say of themselves, made true and handy.
//!
//! Routes share one type of problems, so each would seem to answer all of them; headers lose their
//! spelling, and bounds and words of parameters stand in the code. All that is set right here and in
//! [`operation`], [`schemas`] and [`examples`], by rules, so that a new route needs nothing said twice. Only
//! its examples are written down, by the names of its schemas, in `examples.json`.

mod examples;
mod operation;
mod schemas;

use operation::Route;
use serde_json::{Map, Value, json};

/// The document of the routes as they describe themselves, finished.
pub fn finished(described: &str) -> String {
    let mut document: Value =
        serde_json::from_str(described).expect("poem-openapi writes its document as JSON");
    document["servers"] = json!([{ "url": "/", "description": "This server" }]);
    document["info"]["license"] =
        json!({ "name": env!("CARGO_PKG_LICENSE"), "url": "https://spdx.org/licenses/" });
    document["info"]["contact"] = json!({ "name": "The operator of this server" });
    // There is no authentication, and the document says so.
    document["security"] = json!([]);
    schemas::finish(&mut document);
    for (path, operations) in members(&mut document["paths"]) {
        for (method, operation) in members(operations) {
            let route = Route::new(method, path, operation);
            route.finish(operation);
            examples::put(operation);
        }
    }
    let mut text = format!("{document:#}");
    text.push('\n');
    text
}

fn members(value: &mut Value) -> impl Iterator<Item = (&str, &mut Value)> {
    let members = value.as_object_mut().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}

fn members_of(value: &mut Value) -> Option<&mut Map<String, Value>> {
    value.as_object_mut()
}

/// The name of a schema that is referred to.
fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}
