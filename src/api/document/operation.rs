//! An operation of the document: its name, its problems, its parameters and its media types.

use super::json::{members, members_of};
use crate::api::limits::{PAGE_DEFAULT, PAGE_MAX};
use serde_json::{Map, Value, json};

/// An operation of the document.
pub struct Route<'a> {
    method: &'a str,
    path: &'a str,
    has_body: bool,
}

impl<'a> Route<'a> {
    /// An operation.
    pub fn new(method: &'a str, path: &'a str, operation: &Value) -> Self {
        Self { method, path, has_body: !operation["requestBody"].is_null() }
    }

    /// Makes it true and handy.
    pub fn finish(&self, operation: &mut Value) {
        operation["operationId"] = json!(self.id());
        self.problems(operation);
        media_types(operation);
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            self.parameter(parameter);
        }
    }

    fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    /// A name for generated clients: `post_orders_cancel`, `get_orders_by_order_id`.
    fn id(&self) -> String {
        let mut id = self.method.to_owned();
        let mut segments = self.path.split('/').filter(|segment| !segment.is_empty()).peekable();
        while let Some(segment) = segments.next() {
            match segment.strip_prefix('{') {
                // What stands before a verb is clear from the verb.
                Some(_) if segments.peek().is_some() => {}
                Some(name) => id.extend(["_by_", name.trim_end_matches('}')]),
                None => id.extend(["_", segment]),
            }
        }
        if self.is("post", "/admin/dead-letters/redrive")
            || self.is("post", "/admin/dead-letters/discard")
            || self.is("post", "/inventory/adjustments")
        {
            // One of them and all of them are the same verb.
            id.push_str("_all");
        }
        id.replace('-', "_").replace(".json", "")
    }

    /// Leaves only the problems that this operation can have, and adds those that any has.
    fn problems(&self, operation: &mut Value) {
        let asks_of_an_order = self.method == "post" && self.path.starts_with("/orders/");
        let asks_of_a_saga = self.method == "post" && self.path.starts_with("/admin/sagas/");
        let asks_of_a_payment = self.method == "post" && self.path.starts_with("/admin/payments/");
        let asks_of_an_actor = self.method == "post" && self.path.starts_with("/admin/actors/");
        let changes_keys = self.method != "get" && self.path.starts_with("/admin/keys");
        let redrives = self.is("post", "/admin/dead-letters/{id}/redrive");
        // A notification's mark is a word that is read, or is not.
        let checks_fields = self.has_body && !self.is("patch", "/notifications/{id}");
        let needs_a_key = operation["x-permission"].is_string();
        let can = |status: &str| match status {
            "404" => self.path.contains('{'),
            "409" => {
                asks_of_an_order
                    || asks_of_a_saga
                    || asks_of_a_payment
                    || asks_of_an_actor
                    || changes_keys
                    || redrives
                    || self.is("post", "/inventory")
                    || self.is("post", "/admin/backup")
                    || self.is("post", "/inventory/{product_id}/adjustments")
            }
            "413" | "415" => self.has_body,
            "422" => checks_fields,
            // Safe methods change nothing, so that they are taken from any page; probes answer to any name.
            "401" => needs_a_key,
            "403" => needs_a_key || self.method != "get",
            "421" => !matches!(self.path, "/health" | "/ready"),
            _ => true,
        };
        if let Some(responses) = members_of(&mut operation["responses"]) {
            responses.retain(|status, _| can(status));
            for (status, about) in ANYWHERE.into_iter().filter(|(status, _)| can(status)) {
                responses.entry(status).or_insert_with(|| problem(about));
            }
        }
    }

    /// Bounds, words and meaning of a parameter.
    fn parameter(&self, parameter: &mut Value) {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let in_path = parameter["in"] == "path";
        let word = |schema: &str| json!({ "$ref": format!("#/components/schemas/{schema}") });
        let (schema, about) = match name.as_str() {
            "order_id" => (uuid(), "The order."),
            "saga_id" => (uuid(), "The saga, by its order's id."),
            "id" if self.path.starts_with("/admin/dead-letters/") => (uuid(), "The dead letter."),
            "id" if self.path.starts_with("/admin/notifications/") => (uuid(), "The notification."),
            "id" => (parameter["schema"].clone(), "The notification."),
            "name" => (
                parameter["schema"].clone(),
                "The actor's name, percent-encoded: `order/journal` is `order%2Fjournal`.",
            ),
            "product_id" => (parameter["schema"].clone(), "The product."),
            "queue" => (word("Queue"), ""),
            "service" => (word("Service"), ""),
            "kind" => (word("ActorKind"), ""),
            // As its description says: some hundred thousand records are read.
            "limit" if self.path.starts_with("/admin/reconciliation/") => {
                (parameter["schema"].clone(), "")
            }
            "limit" => {
                let limits = json!({ "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT });
                (merged(parameter["schema"].clone(), limits), "")
            }
            "status" if self.path == "/admin/sagas" => (word("SagaStatus"), ""),
            "status" if self.path == "/admin/actors" => (word("ActorStatus"), ""),
            "status" => (word("OrderStatus"), ""),
            "type" => (word("NotificationType"), ""),
            _ => (parameter["schema"].clone(), ""),
        };
        parameter["schema"] = schema;
        if in_path && !parameter["description"].is_string() {
            parameter["description"] = json!(about);
        }
    }
}

/// The problems that any operation may have before its handler is called.
const ANYWHERE: [(&str, &str); 5] = [
    ("400", "The request is malformed."),
    ("401", "The server requires an API key, and the request has none that is accepted."),
    (
        "403",
        "The role of the API key does not permit this, or a web page of another origin has sent the request: nothing \
         was done.",
    ),
    ("412", "A precondition failed or is not supported. Nothing is changed."),
    ("421", "The request names a host that this server does not answer to (ORDERMILL_HOSTS)."),
];

fn problem(about: &str) -> Value {
    json!({
        "description": about,
        "content": {
            "application/problem+json": {
                "schema": { "$ref": "#/components/schemas/ProblemBody" },
            },
        },
    })
}

fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

fn merged(mut schema: Value, more: Value) -> Value {
    if let (Some(schema), Value::Object(more)) = (members_of(&mut schema), more) {
        schema.extend(more);
    }
    schema
}

/// JSON is `application/json`, whatever else is said of it; headers are spelt as they are sent.
fn media_types(operation: &mut Value) {
    if let Some(body) = operation.get_mut("requestBody") {
        plain_json(body);
    }
    for (_, response) in members(&mut operation["responses"]) {
        plain_json(response);
        let Some(headers) = response.get_mut("headers").and_then(members_of) else { continue };
        *headers = std::mem::take(headers)
            .into_iter()
            .map(|(name, mut header)| {
                if name == "RETRY-AFTER" {
                    header["description"] = json!("Seconds to wait before retrying.");
                }
                (spelt(&name), header)
            })
            .collect::<Map<_, _>>();
    }
}

fn plain_json(holder: &mut Value) {
    let Some(content) = holder.get_mut("content").and_then(members_of) else { return };
    if let Some(media) = content.remove("application/json; charset=utf-8") {
        content.insert("application/json".to_owned(), media);
    }
}

/// `RETRY-AFTER` as `Retry-After`.
fn spelt(name: &str) -> String {
    if name == "ETAG" {
        return "ETag".to_owned();
    }
    let word = |word: &str| word[..1].to_owned() + &word[1..].to_ascii_lowercase();
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}
