//! An answer of the API, before it is HTTP.

use serde_json::{Value, json};

/// An answer of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAnswer {
    /// The HTTP status. In Core API it is 200 whatever the body says, but for wrong keys.
    pub http: u16,
    /// Seconds of `Retry-After`.
    pub retry_after: Option<u64>,
    /// `application/json`, unless a fault says otherwise.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl ApiAnswer {
    /// An answer with a JSON body.
    pub fn json(http: u16, body: &Value) -> Self {
        Self { http, retry_after: None, content_type: "application/json", body: body.to_string() }
    }

    /// An answer of Core API without a transaction.
    pub fn core(status_code: &str, message: &str) -> Self {
        Self::json(200, &json!({"status_code": status_code, "status_message": message}))
    }

    /// An answer of Snap that says what is wrong.
    pub fn snap_errors(http: u16, messages: &[String]) -> Self {
        Self::json(http, &json!({"error_messages": messages}))
    }

    /// The `status_code` of the body, or else the HTTP status.
    pub fn code(&self) -> String {
        let body: Option<Value> = serde_json::from_str(&self.body).ok();
        let code = body.and_then(|body| Some(body.get("status_code")?.as_str()?.to_owned()));
        code.unwrap_or_else(|| self.http.to_string())
    }
}
