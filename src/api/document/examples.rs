//! Examples of requests and answers.

use super::json::{members, referred};
use poem::http::StatusCode;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Examples by the names of schemas; of text and of streams, by the ids of operations.
static EXAMPLES: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("examples.json")).expect("the examples are JSON")
});

/// Puts its examples into an operation.
pub fn put(operation: &mut Value) {
    let id = operation["operationId"].clone();
    let text = &EXAMPLES["operations"][id.as_str().unwrap_or_default()];
    if let Some(body) = operation.get_mut("requestBody") {
        body_of(body, text);
    }
    for (status, response) in members(&mut operation["responses"]) {
        let about = response["description"].as_str().unwrap_or_default().to_owned();
        body_of(response, text);
        if let Some(problem) = response.pointer_mut("/content/application~1problem+json") {
            problem["example"] = problem_of(status, &about);
        }
    }
}

fn body_of(holder: &mut Value, text: &Value) {
    for (media, content) in holder.get_mut("content").into_iter().flat_map(members) {
        let named = referred(&content["schema"]).map(|name| &EXAMPLES["schemas"][name]);
        match named {
            // The forms of a request, each with its own.
            Some(forms) if forms["examples"].is_object() => {
                content["examples"] = forms["examples"].clone();
            }
            Some(example) if !example.is_null() => content["example"] = example.clone(),
            _ if media.starts_with("text/") && !text.is_null() => {
                content["example"] = text.clone();
            }
            _ => {}
        }
    }
}

fn problem_of(status: &str, about: &str) -> Value {
    let code: StatusCode = status.parse().unwrap_or_default();
    json!({
        "type": "about:blank",
        "title": code.canonical_reason().unwrap_or_default(),
        "status": code.as_u16(),
        "detail": about,
        "request_id": "019589c0-6a1c-7e5f-9b1d-3f2a4c5d6e7f",
    })
}
