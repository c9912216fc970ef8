//! The second listener, which faces the internet: webhooks and `/health`, and nothing else. A gateway is no browser,
//! and knows this server by any name: there are no rules for `Host` and `Origin`.

use super::Webhooks;
use crate::api::operations::Health;
use crate::api::{problem, request_id};
use ordermill_domain::clock::World;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, IntoResponse, Request, Response};
use poem_openapi::payload::Json;
use std::sync::Arc;

/// The endpoint of the second listener.
pub struct WebhookListener {
    webhooks: Arc<Webhooks>,
    world: World,
}

impl WebhookListener {
    /// An endpoint for these webhooks.
    pub fn new(webhooks: Arc<Webhooks>, world: World) -> Self {
        Self { webhooks, world }
    }

    async fn answer(&self, request: Request) -> Response {
        let path = request.uri().path();
        if let Some(provider) = Webhooks::provider(path) {
            return self.webhooks.answer(provider, request).await;
        }
        match path {
            "/health" => health(request.method()),
            _ => problem::alone(StatusCode::NOT_FOUND, "unknown path"),
        }
    }
}

impl Endpoint for WebhookListener {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let answer = |request| self.answer(request);
        Ok(request_id::answer_under_id(request, &self.world, answer).await)
    }
}

fn health(method: &Method) -> Response {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Json(Health::ok()).into_response();
    }
    let mut response = problem::alone(
        StatusCode::METHOD_NOT_ALLOWED,
        "method not allowed for this path; expected GET",
    );
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}
