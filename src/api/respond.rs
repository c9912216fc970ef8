//! What stands around every route: its log line, its metrics, and the bound of its body.

use crate::api::limits::body_bytes_max;
use crate::api::problem::Problem;
use crate::api::request_trace::RequestTraces;
use crate::api::routes::Routes;
use crate::api::{payload, problem, request_id};
use crate::metrics::{HttpMetrics, Refused, UNMATCHED};
use poem::error::ReadBodyError;
use poem::http::{Method, StatusCode, Uri, header};
use poem::web::Redirect;
use poem::{Body, Endpoint, IntoResponse, PathPattern, Request, Response};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument;

/// A body that is not there by then breaks off: the largest that is taken needs less on a slow line.
const BODY_WITHIN: Duration = Duration::from_secs(60);

/// Answers a request: always with a response, never with an error.
pub async fn answer<E: Endpoint>(
    known: Arc<Routes>,
    metrics: HttpMetrics,
    traces: RequestTraces,
    endpoint: Arc<E>,
    mut request: Request,
) -> poem::Result<Response> {
    let started = Instant::now();
    let _under_way = metrics.answers();
    request.set_data(metrics.clone());
    let id = request_id::shared().unwrap_or_default();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let trace = traces.begin(&request);
    let trace_id = trace.trace_id();
    let span = tracing::debug_span!("request", service = "http", request_id = %id, trace_id);
    let answering = async {
        match endpoint.call(request).await {
            Ok(response) => understood(response.into_response(), &known, &method, &uri),
            Err(error) => refused(error, &known, &uri),
        }
    };
    let response = trace.clone().scope(answering.instrument(span.clone())).await;
    trace.answered(&response, &known);
    let matched = response.data::<PathPattern>();
    let path = matched.and_then(|matched| known.name(&matched.0)).unwrap_or(UNMATCHED).to_owned();
    let (status, elapsed) = (response.status(), started.elapsed());
    metrics.answered(&method, &path, status, elapsed, trace.exemplar());
    let ids = (&*id, trace.trace_id());
    span.in_scope(|| log(&method, &uri, ids, &path, status, elapsed));
    Ok(response)
}

/// Reads the body, up to the bound: no route sees a larger one, however it was sent.
pub async fn bounded(request: &mut Request) -> Result<(), Response> {
    if let Some(refusal) = payload::refusal(request.headers()) {
        return Err(refusal);
    }
    let body = request.take_body();
    let limit = body_bytes_max(request.uri().path());
    match tokio::time::timeout(BODY_WITHIN, body.into_bytes_limit(limit)).await {
        Ok(Ok(bytes)) => {
            request.set_body(Body::from_bytes(bytes));
            Ok(())
        }
        Ok(Err(ReadBodyError::PayloadTooLarge)) => {
            refused_as(request, Refused::TooLarge);
            Err(problem::too_large(limit))
        }
        Ok(Err(_)) | Err(_) => {
            refused_as(request, Refused::Slow);
            Err(problem::interrupted())
        }
    }
}

fn refused_as(request: &Request, reason: Refused) {
    if let Some(metrics) = request.data::<HttpMetrics>() {
        metrics.refused(reason);
    }
}

/// What was read stands, if all that was asked for in the query is known. What is read changes nothing: it
/// is early enough to look at the query once the route is known.
fn understood(mut response: Response, known: &Routes, method: &Method, uri: &Uri) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return response;
    }
    let Some(matched) = response.data::<PathPattern>().cloned() else { return response };
    if let Some(problem) = known.misread(&matched.0, uri) {
        response = problem.into_response();
        response.set_data(matched);
    }
    response
}

/// Nothing is at an address; a browser at the front is led to the documentation.
fn nowhere(path: &str) -> Response {
    if path == "/" {
        return Redirect::see_other("/docs").into_response();
    }
    let detail = match path.starts_with("/admin/actors/") {
        true => "the actor name must be one path segment; encode each `/` as `%2F`",
        false => "unknown path; see /docs",
    };
    Problem::not_found(detail).into_response()
}

/// A problem of ours is a response already; what poem refuses is made one.
fn refused(error: poem::Error, known: &Routes, uri: &Uri) -> Response {
    let matched = error.data::<PathPattern>().cloned();
    let mut response = match error.is_from_response() {
        true => error.into_response(),
        false if error.status() == StatusCode::NOT_FOUND => nowhere(uri.path()),
        false => problem::from_poem(&error),
    };
    let Some(matched) = matched else { return response };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED
        && let Some(allow) = known.allow(&matched.0)
    {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response.set_data(matched);
    response
}

/// What went wrong on our side is told with its whole address: whose order it was stands there.
fn log(
    method: &Method,
    uri: &Uri,
    (request_id, trace_id): (&str, Option<String>),
    path: &str,
    status: StatusCode,
    elapsed: Duration,
) {
    let duration_ms = elapsed.as_secs_f64() * 1e3;
    let status = status.as_u16();
    if status >= 500 && status != 503 {
        let address = uri.path();
        tracing::info!(service = "http", request_id, trace_id, %method, address, status, duration_ms, "answered");
    } else {
        tracing::debug!(trace_id, %method, path, status, duration_ms, "answered");
    }
}
