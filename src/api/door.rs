//! What answers while the process starts: /health, /ready, and 503 for the rest. Then the API itself.

use crate::api::operations::{Health, Readiness};
use crate::api::problem::Problem;
use crate::app::Boot;
use poem::endpoint::BoxEndpoint;
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
    api: Arc<OnceLock<BoxEndpoint<'static, Response>>>,
}

impl Door {
    /// A door that is closed yet.
    pub fn new(boot: Arc<Boot>) -> Self {
        Self { boot, api: Arc::default() }
    }

    /// Has the API answer from now on.
    pub fn open(&self, api: BoxEndpoint<'static, Response>) {
        // It is opened once: a second API would be a second process.
        let _ = self.api.set(api);
    }
}

impl Endpoint for Door {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if let Some(api) = self.api.get() {
            return api.call(request).await;
        }
        let missing = self.boot.missing().unwrap_or_else(|| "the process is starting".to_owned());
        Ok(match request.uri().path() {
            "/health" => Json(Health::ok()).into_response(),
            "/ready" => {
                let mut response = Json(Readiness::starting(missing)).into_response();
                response.set_status(StatusCode::SERVICE_UNAVAILABLE);
                response
            }
            _ => {
                let detail = format!("the process is starting: it waits for {missing}");
                Problem::unavailable(detail, RETRY_AFTER).into_response()
            }
        })
    }
}
