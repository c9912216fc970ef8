//! Errors as RFC 9457 problem documents: one shape for everything that goes wrong.

use crate::api::{limits, request_id};
use crate::app::ServiceNotLocal;
use ordermill_actors::order::AskError;
use ordermill_actors::ports::ReadError;
use ordermill_actors::runtime::admission::{Busy, BusyCause};
use ordermill_actors::runtime::lag::UnconsumedQueue;
use poem::http::StatusCode;
use poem::{IntoResponse, Response};
use poem_openapi::error::ParseParamError;
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaSchemaRef, Registry};
use poem_openapi::types::{ToJSON, Type};
use poem_openapi::{ApiResponse, Object};
use std::time::Duration;

/// An invalid field.
#[derive(Clone, Debug, Object, PartialEq, Eq)]
pub struct FieldError {
    /// The field, for example `items[0].quantity`.
    pub field: String,
    /// What is wrong with the field, and what is accepted.
    pub message: String,
}

impl FieldError {
    /// An invalid field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// A problem (RFC 9457).
#[derive(Clone, Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ProblemBody {
    /// Always `about:blank`: the HTTP status identifies the kind of problem.
    #[oai(rename = "type")]
    kind: String,
    /// The reason phrase of the HTTP status.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong, and what to do.
    detail: String,
    /// The invalid fields.
    #[oai(default, skip_serializing_if_is_empty)]
    errors: Vec<FieldError>,
    /// The request id, as it appears in the logs.
    request_id: Option<String>,
}

/// The body of a problem, with the content type of one.
pub struct ProblemJson(Box<ProblemBody>);

impl Payload for ProblemJson {
    const CONTENT_TYPE: &'static str = "application/problem+json";

    fn schema_ref() -> MetaSchemaRef {
        ProblemBody::schema_ref()
    }

    fn register(registry: &mut Registry) {
        ProblemBody::register(registry);
    }
}

impl IntoResponse for ProblemJson {
    fn into_response(self) -> Response {
        let body = self.0.to_json_string();
        Response::builder().content_type(Self::CONTENT_TYPE).body(body)
    }
}

/// Everything that a route may answer instead of what was asked for.
#[derive(ApiResponse)]
pub enum Problem {
    /// The request is malformed: invalid JSON, a wrong type, or an invalid cursor.
    #[oai(status = 400)]
    BadRequest(ProblemJson),
    /// Not found.
    #[oai(status = 404)]
    NotFound(ProblemJson),
    /// Not possible in the current state.
    #[oai(status = 409)]
    Conflict(ProblemJson),
    /// A precondition failed or is not supported. Nothing is changed.
    #[oai(status = 412)]
    PreconditionFailed(ProblemJson),
    /// The body is too large.
    #[oai(status = 413)]
    TooLarge(ProblemJson),
    /// The body is not JSON.
    #[oai(status = 415)]
    UnsupportedMediaType(ProblemJson),
    /// The request is well-formed, but its content is invalid.
    #[oai(status = 422)]
    Unprocessable(ProblemJson),
    /// Internal error.
    #[oai(status = 500)]
    Internal(ProblemJson),
    /// Overloaded, or a dependency is unavailable. Retry later.
    #[oai(status = 503)]
    Unavailable(ProblemJson, #[oai(header = "Retry-After")] u64),
}

/// All that a client is told of our own failures.
const INTERNAL: &str = "internal error; the log contains the cause under the request id";

/// When it is worth another try after a part was away.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The same when a service runs in another process: as long as it takes to notice, and to ask there.
const ELSEWHERE_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The same when an actor is quarantined: as long as it takes a person to notice.
const QUARANTINED_RETRY_AFTER: Duration = Duration::from_secs(60);

fn body(status: StatusCode, detail: impl Into<String>, errors: Vec<FieldError>) -> ProblemJson {
    ProblemJson(Box::new(ProblemBody {
        kind: "about:blank".to_owned(),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        detail: detail.into(),
        errors,
        request_id: request_id::current(),
    }))
}

/// Logs what a client is not told, by the id that it is told.
fn failed(cause: &dyn std::fmt::Display) {
    let request_id = request_id::current();
    tracing::error!(service = "http", request_id, %cause, "request failed");
}

impl Problem {
    /// 400.
    pub fn bad_request(detail: impl Into<String>, errors: Vec<FieldError>) -> Self {
        Self::BadRequest(body(StatusCode::BAD_REQUEST, detail, errors))
    }

    /// 400 for a parameter of the query or the path.
    pub fn bad_parameter(name: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::bad_request(format!("`{name}` {message}"), vec![FieldError::new(name, message)])
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::NotFound(body(StatusCode::NOT_FOUND, detail, Vec::new()))
    }

    /// 409.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::Conflict(body(StatusCode::CONFLICT, detail, Vec::new()))
    }

    /// 412.
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::PreconditionFailed(body(StatusCode::PRECONDITION_FAILED, detail, Vec::new()))
    }

    /// 422.
    pub fn unprocessable(detail: impl Into<String>, errors: Vec<FieldError>) -> Self {
        Self::Unprocessable(body(StatusCode::UNPROCESSABLE_ENTITY, detail, errors))
    }

    /// 422 for fields of a request: one at fault is told at once, more are listed.
    pub fn faulty(what: &str, errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [FieldError { field, message }] => format!("`{field}` {message}"),
            _ => format!("the {what} has invalid fields"),
        };
        Self::unprocessable(detail, errors)
    }

    /// 500; what went wrong is logged, not told.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        failed(cause);
        Self::Internal(body(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL, Vec::new()))
    }

    /// 500 for what the database refuses for good. The client is told why: retrying does not help.
    pub fn impossible(cause: &dyn std::fmt::Display) -> Self {
        failed(cause);
        let detail = format!("{cause}; retrying does not help");
        Self::Internal(body(StatusCode::INTERNAL_SERVER_ERROR, detail, Vec::new()))
    }

    /// 503.
    pub fn unavailable(detail: impl Into<String>, retry_after: Duration) -> Self {
        // Rounded up: to come back too early is to be turned away again.
        let seconds = retry_after.as_millis().div_ceil(1_000).clamp(1, 3_600) as u64;
        Self::Unavailable(body(StatusCode::SERVICE_UNAVAILABLE, detail, Vec::new()), seconds)
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Away(_) => {
                let request_id = request_id::current();
                tracing::warn!(service = "http", request_id, %error, "reading from a database failed");
                Self::unavailable("a database is unavailable; retry later", RETRY_AFTER)
            }
            ReadError::Unreadable(_) => Self::internal(&error),
        }
    }
}

impl From<ServiceNotLocal> for Problem {
    fn from(not_local: ServiceNotLocal) -> Self {
        Self::unavailable(not_local.to_string(), ELSEWHERE_RETRY_AFTER)
    }
}

impl Problem {
    /// 503 for an order that is not taken, and what is to blame: a database, the broker, a queue that
    /// nobody consumes, or too many customers.
    pub fn not_admitted(
        busy: Busy,
        broker: Option<String>,
        unconsumed_queues: &[UnconsumedQueue],
    ) -> Self {
        let detail = match (busy.cause, broker, unconsumed_queues.first()) {
            (BusyCause::ShuttingDown, ..) => {
                "this process is shutting down; retry later".to_owned()
            }
            (BusyCause::DatabaseDown, ..) => "a database is unavailable; retry later".to_owned(),
            (BusyCause::Overloaded, Some(trouble), _) => format!("{trouble}; retry later"),
            (BusyCause::Overloaded, None, Some(queue)) => {
                format!("too many orders in progress: {queue}")
            }
            (BusyCause::Overloaded, None, None) => {
                "too many orders in progress; retry later".to_owned()
            }
        };
        Self::unavailable(detail, busy.retry_after)
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let detail = error.to_string();
        match error {
            AskError::NotFound => Self::not_found(detail),
            AskError::Conflict { .. } => Self::conflict(detail),
            AskError::KeyReused => {
                let field = FieldError::new("Idempotency-Key", &*detail);
                Self::unprocessable(detail, vec![field])
            }
            AskError::Impossible(_) => Self::impossible(&detail),
            AskError::Unavailable => Self::unavailable(detail, RETRY_AFTER),
            AskError::Quarantined(_) => Self::unavailable(detail, QUARANTINED_RETRY_AFTER),
        }
    }
}

/// What poem itself refuses (no such route, a method, a parameter that does not parse), as a problem.
pub fn from_poem(error: &poem::Error) -> Response {
    if let Some(parameter) = error.downcast_ref::<ParseParamError>() {
        let message = unreadable(parameter);
        return Problem::bad_parameter(parameter.name, message).into_response();
    }
    let status = error.status();
    let detail = match status {
        StatusCode::BAD_REQUEST => "the path is not valid UTF-8 after percent-decoding".to_owned(),
        StatusCode::METHOD_NOT_ALLOWED => "method not allowed for this path; see /docs".to_owned(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            "the body must be JSON, with `Content-Type: application/json`".to_owned()
        }
        status if status.is_server_error() => {
            failed(error);
            INTERNAL.to_owned()
        }
        _ => error.to_string(),
    };
    alone(status, detail)
}

/// What is wrong with a parameter: its type's own words name types of ours, which say nothing to
/// a client.
fn unreadable(parameter: &ParseParamError) -> String {
    let reason = &parameter.reason;
    if reason.contains("expects an input value") {
        "is missing".to_owned()
    } else if parameter.name == "limit" {
        limits::page_message()
    } else if reason.contains("boolean") {
        "must be true or false".to_owned()
    } else {
        "must be an integer".to_owned()
    }
}

/// An answer of a status that comes from before the routes.
pub fn alone(status: StatusCode, detail: impl Into<String>) -> Response {
    let mut response = body(status, detail, Vec::new()).into_response();
    response.set_status(status);
    response
}

/// 413, from before the routes.
pub fn too_large(limit: usize) -> Response {
    let detail = format!("the body exceeds the maximum of {limit} bytes");
    alone(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// 400, for a body that breaks off.
pub fn interrupted() -> Response {
    alone(StatusCode::BAD_REQUEST, "the body is incomplete")
}

/// 500, for a handler that panicked.
pub fn panicked() -> Response {
    alone(StatusCode::INTERNAL_SERVER_ERROR, INTERNAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ordermill_domain::messages::Queue;

    #[test]
    fn a_503_for_an_order_says_when_to_retry() {
        for (retry_after_ms, seconds) in [(0, "1"), (1_000, "1"), (2_001, "3"), (30_000, "30")] {
            let retry_after = Duration::from_millis(retry_after_ms);
            let busy = Busy { retry_after, cause: BusyCause::Overloaded };
            let response = Problem::not_admitted(busy, None, &[]).into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()["retry-after"], seconds);
            assert_eq!(response.content_type(), Some("application/problem+json"));
        }
    }

    #[test]
    fn a_503_for_an_order_names_the_cause() {
        let busy = |cause| Busy { retry_after: Duration::from_secs(1), cause };
        let queue = Queue::parse("inventory.commands").unwrap();
        let unconsumed_queues = [UnconsumedQueue { queue, ready: 820 }];
        let away = || Some("the broker is unavailable: connection refused".to_owned());
        let detail = |problem| match problem {
            Problem::Unavailable(body, _) => body.0.detail,
            _ => panic!("no 503"),
        };
        for (problem, word) in [
            (Problem::not_admitted(busy(BusyCause::ShuttingDown), None, &[]), "shutting down"),
            (
                Problem::not_admitted(busy(BusyCause::DatabaseDown), away(), &unconsumed_queues),
                "a database",
            ),
            (
                Problem::not_admitted(busy(BusyCause::Overloaded), away(), &unconsumed_queues),
                "the broker is unavailable",
            ),
            (
                Problem::not_admitted(busy(BusyCause::Overloaded), None, &unconsumed_queues),
                "no consumer on inventory.commands",
            ),
            (
                Problem::not_admitted(busy(BusyCause::Overloaded), None, &[]),
                "too many orders in progress; retry",
            ),
        ] {
            let detail = detail(problem);
            assert!(detail.contains(word), "{detail}");
        }
    }

    #[test]
    fn one_field_at_fault_is_told_at_once() {
        let one = || FieldError::new("quantity", "is missing");
        for (errors, expected) in [
            (vec![one()], "`quantity` is missing"),
            (vec![one(), one()], "the order has invalid fields"),
        ] {
            match Problem::faulty("order", errors) {
                Problem::Unprocessable(body) => assert_eq!(body.0.detail, expected),
                _ => panic!("no 422"),
            }
        }
    }
}
