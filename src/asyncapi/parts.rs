//! What all parts of the document share.

use serde_json::{Value, json};

/// The version of the AMQP bindings' descriptions.
pub const BINDING_VERSION: &str = "0.3.0";

/// A reference within the document.
pub fn reference(path: &str) -> Value {
    json!({ "$ref": format!("#/{path}") })
}
