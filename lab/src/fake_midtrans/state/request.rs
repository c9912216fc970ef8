//! A request of the API.

use crate::fake_midtrans::answer::ApiAnswer;
use crate::fake_midtrans::fault::Call;
use ordermill_domain::clock::Timestamp;
use serde_json::Value;

/// Bytes of a request's body at most.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024;

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which call.
    pub call: Call,
    /// The token, order id or transaction id of its path; empty where the path has none.
    pub id: String,
}

impl Target {
    /// What a method and a path ask for. None: nothing of the API.
    pub fn of(method: &str, path: &str) -> Option<Self> {
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        let (call, id) = match (method, parts.as_slice()) {
            ("POST", ["snap", "v1", "transactions"]) => (Call::Create, ""),
            ("POST", ["snap", "v1", "transactions", id, "cancel"]) => (Call::CancelPage, *id),
            ("POST", ["v2", "capture"]) => (Call::Capture, ""),
            ("GET", ["v2", id, "status"]) => (Call::Status, *id),
            ("POST", ["v2", id, "cancel"]) => (Call::Cancel, *id),
            ("POST", ["v2", id, "expire"]) => (Call::Expire, *id),
            ("POST", ["v2", id, "refund"] | ["v2", id, "refund", "online", "direct"]) => {
                (Call::Refund, *id)
            }
            ("POST", ["v2", id, "approve"]) => (Call::Approve, *id),
            ("POST", ["v2", id, "deny"]) => (Call::Deny, *id),
            _ => return None,
        };
        Some(Self { call, id: id.to_owned() })
    }
}

/// A request of the API. Not `Debug`: it has the key.
#[derive(Clone)]
pub struct Request {
    /// What it asks.
    pub target: Target,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The body as it came.
    pub body: Vec<u8>,
}

/// A request that was made, for assertions. Not `Debug`: it has the key.
#[derive(Clone)]
pub struct RecordedRequest {
    /// When.
    pub at: Timestamp,
    /// What it asked.
    pub target: Target,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The body; null where it was not JSON.
    pub body: Value,
    /// The `status_code` of the answer, or its HTTP status; None: the connection was closed.
    pub code: Option<String>,
}

/// An answer that is kept under an idempotency key.
pub(super) struct KeptAnswer {
    /// Since when.
    pub at: Timestamp,
    /// The answer.
    pub answer: ApiAnswer,
    /// True until the first request is answered.
    pub is_in_process: bool,
}
