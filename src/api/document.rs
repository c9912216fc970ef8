//! The OpenAPI document: what the routes say of themselves, made true and handy.
//!
//! Routes share one type of problems, so each would seem to answer all of them; headers lose their
//! spelling, and bounds and words of parameters stand in the code. All that is set right here, by
//! rules, so that a new route needs nothing said twice.

use crate::api::limits::{PAGE_DEFAULT, PAGE_MAX};
use ordermill_actors::ids::ServiceName;
use ordermill_actors::messages::Queue;
use ordermill_actors::notification::Topic;
use ordermill_actors::order::{OrderStatus, SagaStatus};
use ordermill_actors::runtime::tree::Status as ActorStatus;
use serde_json::{Map, Value, json};

/// The document of the routes as they describe themselves, finished.
pub fn finished(described: &str) -> String {
    let mut document: Value =
        serde_json::from_str(described).expect("poem-openapi writes its document as JSON");
    document["servers"] = json!([{ "url": "/", "description": "This server" }]);
    for (path, operations) in members(&mut document["paths"]) {
        for (method, operation) in members(operations) {
            let route = Route { method, path, has_body: !operation["requestBody"].is_null() };
            operation["operationId"] = json!(route.id());
            route.problems(operation);
            media_types(operation);
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                route.parameter(parameter);
            }
            if route.is("post", "/orders") {
                examples(operation);
            }
        }
    }
    for (_, schema) in members(&mut document["components"]["schemas"]) {
        optional(schema);
    }
    if let Some(order) = document.pointer_mut("/components/schemas/NewOrder") {
        // Its two forms are shown where they are used.
        members_of(order).map(|order| order.remove("example"));
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

/// An operation of the document.
struct Route<'a> {
    method: &'a str,
    path: &'a str,
    has_body: bool,
}

impl Route<'_> {
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
        if self.is("post", "/admin/dead-letters/redrive") {
            // One of them and all of them are the same verb.
            id.push_str("_all");
        }
        id.replace('-', "_").replace(".json", "")
    }

    /// Leaves only the problems that this operation can have.
    fn problems(&self, operation: &mut Value) {
        let asks_of_an_order = self.method == "post" && self.path.starts_with("/orders/");
        let asks_of_a_saga = self.method == "post" && self.path.starts_with("/admin/sagas/");
        let asks_of_an_actor = self.method == "post" && self.path.starts_with("/admin/actors/");
        let redrives = self.is("post", "/admin/dead-letters/{id}/redrive");
        // A notification's mark is a word that is read, or is not.
        let checks_fields = self.has_body && !self.is("patch", "/notifications/{id}");
        let can = |status: &str| match status {
            "400" => self.has_body || operation["parameters"].is_array(),
            "404" => self.path.contains('{'),
            "409" => {
                asks_of_an_order
                    || asks_of_a_saga
                    || asks_of_an_actor
                    || redrives
                    || self.is("post", "/inventory")
            }
            "413" | "415" => self.has_body,
            "422" => checks_fields,
            _ => true,
        };
        let impossible: Vec<String> = operation["responses"]
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .filter(|status| !can(status))
            .cloned()
            .collect();
        if let Some(responses) = members_of(&mut operation["responses"]) {
            responses.retain(|status, _| !impossible.contains(status));
        }
    }

    /// Bounds and words of a parameter.
    fn parameter(&self, parameter: &mut Value) {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let schema = &mut parameter["schema"];
        match name.as_str() {
            "order_id" | "saga_id" => schema["format"] = json!("uuid"),
            "id" if self.path.starts_with("/admin/dead-letters/") => {
                schema["format"] = json!("uuid");
            }
            "queue" => schema["enum"] = Queue::ALL.iter().map(|queue| queue.as_str()).collect(),
            "service" => schema["enum"] = ServiceName::ALL.map(ServiceName::as_str).into(),
            "limit" => {
                schema["minimum"] = json!(1);
                schema["maximum"] = json!(PAGE_MAX);
                schema["default"] = json!(PAGE_DEFAULT);
            }
            "status" if self.path == "/admin/sagas" => {
                schema["enum"] = SagaStatus::ALL.iter().map(|status| status.as_str()).collect();
            }
            "status" if self.path == "/admin/actors" => {
                schema["enum"] = ActorStatus::ALL.map(ActorStatus::as_str).into();
            }
            "status" => {
                schema["enum"] = OrderStatus::ALL.iter().map(|status| status.as_str()).collect();
            }
            "type" => schema["enum"] = Topic::ALL.iter().map(|topic| topic.as_str()).collect(),
            _ => {}
        }
    }
}

/// What an object may lack may be null as well, in answers and in requests. Only a list that is left
/// out while it is empty never is: it says so by its default, `[]`.
fn optional(schema: &mut Value) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, property) in schema.get_mut("properties").into_iter().flat_map(members) {
        if required.contains(&json!(name)) || property["default"] == json!([]) {
            continue;
        }
        or_null(property);
    }
}

/// `nullable` is read beside a `type` only, and nothing is read beside a reference.
fn or_null(property: &mut Value) {
    if property["type"].is_string() {
        property["nullable"] = json!(true);
        return;
    }
    let (reference, mut words) = match property["allOf"].as_array().map(Vec::as_slice) {
        Some([reference, words]) => (reference.clone(), words.clone()),
        _ => (property.clone(), json!({})),
    };
    words["anyOf"] = json!([reference, { "type": "object", "nullable": true, "enum": [null] }]);
    *property = words;
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
                    header["description"] = json!("Seconds after which to try again.");
                }
                (spelt(&name), header)
            })
            .collect();
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
    let word = |word: &str| word[..1].to_owned() + &word[1..].to_ascii_lowercase();
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// Both forms of an order, to be tried out.
fn examples(operation: &mut Value) {
    operation["requestBody"]["content"]["application/json"]["examples"] = json!({
        "order": {
            "summary": "An order",
            "value": {
                "customer_id": "123e4567-e89b-12d3-a456-426614174000",
                "payment_method": "credit_card",
                "items": [{
                    "product_id": "00000000-0000-0000-0000-000000000001",
                    "quantity": 2,
                    "unit_price": 49.90,
                }],
            },
        },
        "short_form": {
            "summary": "The short form, for one product",
            "value": {
                "user_id": 42,
                "product_id": 1001,
                "quantity": 2,
                "total_amount": 199.98,
            },
        },
    });
}
