//! The OpenAPI document: what the routes say of themselves, made true and handy.
//!
//! Routes share one type of problems, so each would seem to answer all of them; headers lose their
//! spelling, and bounds and words of parameters stand in the code. All that is set right here and in
//! [`operation`], [`schemas`] and [`examples`], by rules, so that a new route needs nothing said twice. Only
//! its examples are written down, by the names of its schemas, in `examples.json`.

mod examples;
mod json;
mod operation;
mod schemas;

use crate::api::permissions;
use json::members;
use operation::Route;
use serde_json::{Value, json};

/// The document of the routes as they describe themselves, finished.
pub fn finished(described: &str) -> String {
    let mut document: Value =
        serde_json::from_str(described).expect("poem-openapi writes its document as JSON");
    document["servers"] = json!([{ "url": "/", "description": "This server" }]);
    document["info"]["license"] =
        json!({ "name": env!("CARGO_PKG_LICENSE"), "url": "https://spdx.org/licenses/" });
    document["info"]["contact"] = json!({ "name": "The operator of this server" });
    document["components"]["securitySchemes"] = permissions::schemes();
    schemas::finish(&mut document);
    for (path, operations) in members(&mut document["paths"]) {
        for (method, operation) in members(operations) {
            let route = Route::new(method, path, operation);
            permissions::describe(method, path, operation);
            route.finish(operation);
            examples::put(operation);
        }
    }
    let mut text = format!("{document:#}");
    text.push('\n');
    text
}
