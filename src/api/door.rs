//! What answers while the process starts: /health, /ready, and 503 for the rest. Then the API itself.

use crate::api::operations::{Health, Readiness};
use crate::api::problem::Problem;
use crate::api::request_id;
use crate::app::Boot;
use ordermill_actors::clock::World;
use poem::endpoint::BoxEndpoint;
use poem::http::HeaderValue;
use poem::http::StatusCode;
use poem::{Endpoint, IntoResponse, Request, Response};
use poem_openapi::payload::Json;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// When it is worth another try while the process starts.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The endpoint of a process from its first moment on. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    boot: Arc<Boot>,
    world: World,
    api: Arc<OnceLock<BoxEndpoint<'static, Response>>>,
}

impl Door {
    /// A door that is closed yet.
    pub fn new(boot: Arc<Boot>, world: World) -> Self {
        Self { boot, world, api: Arc::default() }
    }

    /// Has the API answer from now on.
    pub fn open(&self, api: BoxEndpoint<'static, Response>) {
        // It is opened once: a second API would be a second process.
        let _ = self.api.set(api);
    }

    fn closed(&self, path: &str) -> Response {
        let missing = self.boot.missing();
        let starting = || "the process is starting".to_owned();
        match path {
            "/health" => Json(Health::ok()).into_response(),
            "/ready" => {
                let missing = missing.unwrap_or_else(starting);
                let mut response = Json(Readiness::starting(missing)).into_response();
                response.set_status(StatusCode::SERVICE_UNAVAILABLE);
                response
            }
            _ => {
                let waits = |missing| format!("{}: it waits for {missing}", starting());
                let detail = missing.map_or_else(starting, waits);
                Problem::unavailable(detail, RETRY_AFTER).into_response()
            }
        }
    }
}

impl Endpoint for Door {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if let Some(api) = self.api.get() {
            return api.call(request).await;
        }
        let id = request_id::of(&request, &self.world);
        let closed = async { self.closed(request.uri().path()) };
        let mut response = request_id::scope(id.clone(), closed).await;
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(request_id::HEADER, value);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::world;
    use poem::test::TestClient;

    #[tokio::test]
    async fn while_it_starts_it_says_so_once_and_under_the_requests_id() {
        let boot = Arc::new(Boot::new(Duration::from_secs(1)));
        let client = TestClient::new(Door::new(boot, world::real()));
        let response = client.get("/orders").header("X-Request-ID", "mine").send().await;
        response.assert_status(StatusCode::SERVICE_UNAVAILABLE);
        response.assert_header("x-request-id", "mine");
        let body = response.json().await;
        let body = body.value().object();
        body.get("detail").assert_string("the process is starting");
        body.get("request_id").assert_string("mine");
    }
}
